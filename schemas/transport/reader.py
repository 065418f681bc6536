"""Reading partitions by hand: committed records only, from a given offset, to an end that is known to be the end."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from confluent_kafka import Consumer

from schemas.transport.deadline import Deadline, until
from schemas.transport.errors import BrokerUnavailable
from schemas.transport.inbox import Inbox
from schemas.transport.positions import Positions
from schemas.transport.records import (
    BEGINNING,
    Position,
    Record,
    Row,
    TopicPartition,
    from_client,
    partitions_to_client,
    to_client,
)
from schemas.transport.settings import KafkaSettings

BATCH_RECORDS = 5_000
_NO_GROUP = "perennial-reader"  # the client wants a name; nothing is ever committed under it
_LOOK_MS = 100
_SEEK_WITHIN_MS = 10_000
Read = TypeVar("Read", Record, Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Records of one partition in offset order, and the offset at which to go on."""

    records: list[Record]
    next_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSlice:
    """Keys and values of one partition in offset order, and the offset at which to go on."""

    rows: list[Row]
    next_offset: int


class PartitionReader:
    """A consumer without a group, whose partitions are given by hand; one thread at a time.

    A position outside the log raises `InputsLost`; nothing is ever reset silently (I3).
    """

    def __init__(self, settings: KafkaSettings) -> None:
        """Make the client; nothing is read before `assign`."""
        self._prefix = settings.topic_prefix
        self._consumer = Consumer(settings.consumer(_NO_GROUP))
        self._inbox = Inbox(self._consumer, "read", settings.topic_prefix)

    def assign(self, positions: Iterable[Position]) -> None:
        """Read these partitions too, each from its offset; BEGINNING and END are understood."""
        mine = list(positions)
        self._inbox.expect(mine)
        self._consumer.incremental_assign(to_client(mine, self._prefix))

    def unassign(self, partitions: Iterable[TopicPartition]) -> None:
        """Read these partitions no more."""
        gone = list(partitions)
        self._consumer.incremental_unassign(partitions_to_client(gone, self._prefix))
        self._inbox.forget(gone)

    def assignment(self) -> tuple[TopicPartition, ...]:
        """Return the partitions that are read."""
        return from_client(self._consumer.assignment(), self._prefix)

    def seek(self, position: Position) -> None:
        """Go on reading a partition elsewhere."""
        (moved,) = to_client([position], self._prefix)
        until(_SEEK_WITHIN_MS, f"seek {position}", lambda _left_s: self._consumer.seek(moved))
        self._inbox.expect([position])

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Bring no records of these partitions until `resume`."""
        self._consumer.pause(partitions_to_client(partitions, self._prefix))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Bring records of these partitions again."""
        self._consumer.resume(partitions_to_client(partitions, self._prefix))

    def poll(self, max_records: int = BATCH_RECORDS, within_ms: int = _LOOK_MS) -> list[Record]:
        """Wait at most `within_ms` for records, then return what is here; empty when nothing came."""
        return self._inbox.poll(max_records, within_ms)

    def poll_rows(self, max_records: int = BATCH_RECORDS, within_ms: int = _LOOK_MS) -> list[Row]:
        """Do the same with keys and values only; for a reader of one partition."""
        return self._inbox.poll_rows(max_records, within_ms)

    def positions(self) -> dict[TopicPartition, int]:
        """Return the next offset of each partition; it moves past transaction markers when the end is reached."""
        return dict(self._inbox.positions)

    def close(self) -> None:
        """Let go of the brokers."""
        self._consumer.close()

    def __enter__(self) -> Self:
        """Nothing to do; `close` is what matters."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def read_to_end(
    settings: KafkaSettings, tp: TopicPartition, from_offset: int, *, within_ms: int = 600_000
) -> Iterator[Slice]:
    """Read one partition up to the high watermark it has now, waiting for transactions still open before that.

    Raises:
        InputsLost: `from_offset` is outside the log.
        BrokerUnavailable: the end was not reached in time; the message says how far it came.
    """
    for records, positions in _to_the_ends(settings, {tp: from_offset}, PartitionReader.poll, within_ms):
        yield Slice(records=records, next_offset=positions[tp])


def read_rows_to_end(
    settings: KafkaSettings, tp: TopicPartition, from_offset: int, *, within_ms: int = 600_000
) -> Iterator[RowSlice]:
    """Do the same with keys and values only, as a restore wants them."""
    for rows, positions in _to_the_ends(settings, {tp: from_offset}, PartitionReader.poll_rows, within_ms):
        yield RowSlice(rows=rows, next_offset=positions[tp])


def read_many_to_end(
    settings: KafkaSettings, from_offsets: Mapping[TopicPartition, int], *, within_ms: int = 600_000
) -> Iterator[list[Record]]:
    """Read partitions side by side up to the high watermarks they have now; each batch may mix partitions."""
    for records, _positions in _to_the_ends(settings, from_offsets, PartitionReader.poll, within_ms):
        if records:
            yield records


def _to_the_ends(
    settings: KafkaSettings,
    from_offsets: Mapping[TopicPartition, int],
    poll: Callable[[PartitionReader], list[Read]],
    within_ms: int,
) -> Iterator[tuple[list[Read], Mapping[TopicPartition, int]]]:
    deadline = Deadline(within_ms)
    starts = _resolved(settings, from_offsets)
    ends = Positions(settings).end_offsets(from_offsets)
    behind = {tp: end for tp, end in ends.items() if starts[tp] != end}
    if not behind:
        yield [], starts
        return
    with PartitionReader(settings) as reader:
        reader.assign(Position(*tp, offset) for tp, offset in starts.items())
        while behind:
            read = poll(reader)
            positions = reader.positions()
            behind = {tp: end for tp, end in behind.items() if positions[tp] < end}
            if read or not behind:
                yield read, positions
            elif deadline.has_passed():
                reached = {f"{tp.topic}[{tp.partition}]": (positions[tp], end) for tp, end in behind.items()}
                raise BrokerUnavailable(f"did not reach the end in time (position, end): {reached}")


def _resolved(settings: KafkaSettings, from_offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Put the first offset still there in the place of BEGINNING."""
    asked = [tp for tp, offset in from_offsets.items() if offset == BEGINNING]
    return {**from_offsets, **Positions(settings).beginning_offsets(asked)}
