"""The chain of slices: each begins exactly where the last committed one of its input ended (I3)."""

from collections.abc import Sequence
from enum import Enum, auto

from schemas.errors import ExitCode, ExitError
from schemas.transport.records import TopicPartition
from streams.intake import Fetched, Slice

MOST_SAME_GAPS = 3


class Link(Enum):
    """How a slice stands to the position of its input."""

    NEXT = auto()
    BEHIND = auto()
    GAP = auto()


def link_of(piece: Slice, position: int) -> Link:
    """Tell whether a slice continues its input, was applied before, or lies beyond records never seen."""
    if piece.start > position:
        return Link.GAP
    return Link.NEXT if piece.next > position else Link.BEHIND


def untaken(piece: Slice, position: int) -> Sequence[Fetched]:
    """Give the records of a slice that were not applied yet."""
    if piece.start == position:
        return piece.records
    return [record for record in piece.records if record.offset >= position]


def split(piece: Slice, records: int) -> tuple[Slice, Slice | None]:
    """Cut a slice after so many records; both parts keep true labels."""
    if len(piece.records) <= records:
        return piece, None
    middle = piece.records[records].offset
    head = Slice(piece.tp, piece.start, middle, piece.records[:records], piece.epoch)
    return head, Slice(piece.tp, middle, piece.next, piece.records[records:], piece.epoch)


class Gaps:
    """Counts how often one and the same gap was met; gaps are healed by seeking back, until that plainly fails."""

    def __init__(self) -> None:
        self._met: dict[TopicPartition, tuple[int, int]] = {}  # per input: after which position, how often

    def met(self, tp: TopicPartition, position: int) -> None:
        """Note a gap after `position`; the third time it ends the process."""
        was_after, times = self._met.get(tp, (-1, 0))
        times = times + 1 if was_after == position else 1
        self._met[tp] = (position, times)
        if times >= MOST_SAME_GAPS:
            raise ExitError(
                ExitCode.CHAIN_BROKEN,
                f"{tp.topic} partition {tp.partition}: the records after offset {position} did not arrive in "
                f"{times} readings; check the broker's log for this partition",
            )
