"""One co-partition as its owner holds it: producer, store, meta row, positions; changed only by a committed draft."""

from dataclasses import dataclass, field

import msgspec

from schemas.changelog import MetaRow
from schemas.outputs import HeartbeatSent
from streams.brain import Policies
from streams.chain import Gaps
from streams.log import Producer
from streams.refusals import RefusalWindow
from streams.store import ALARM_PREFIX, Rows
from streams.ticks import StampedTick, WaitingTicks


@dataclass(slots=True, kw_only=True)
class CoPartition:
    """What the engine knows of a co-partition it owns.

    Attributes:
        positions: the next offset to apply per input topic, as last committed or moved by markers.
        epochs: per input topic, the seek that slices must not be older than.
        held: quarantined customers, each with the sequence of its next kept input.
        moved: positions that only markers moved since the last commit; they go along with the next one.
        changelog_next: where the next transaction's rows will lie; exact, since only the owner writes.
        tick_seen: offset of the newest tick that arrived, applied or not.
        alarm_floor: no alarm row lies below; memory only, lowered by every insert (I5).
    """

    number: int
    producer: Producer
    rows: Rows
    meta: MetaRow
    policies: Policies
    positions: dict[str, int]
    changelog_next: int
    held: dict[bytes, int] = field(default_factory=dict)
    window: RefusalWindow = field(default_factory=RefusalWindow)
    epochs: dict[str, int] = field(default_factory=dict)
    gaps: Gaps = field(default_factory=Gaps)
    waiting: WaitingTicks = field(default_factory=WaitingTicks)
    tick: StampedTick | None = None
    tick_seen: int = -1
    moved: dict[str, int] = field(default_factory=dict)
    alarm_floor: bytes = ALARM_PREFIX
    announced: HeartbeatSent | None = None

    def move(self, positions: dict[str, int]) -> None:
        """Pass markers, without a transaction of their own."""
        self.positions.update(positions)
        self.moved.update(positions)

    def lower_floor(self, row: bytes) -> None:
        """Let the next scan begin at this alarm or before."""
        self.alarm_floor = min(self.alarm_floor, row)


def advanced(meta: MetaRow, **changes: object) -> MetaRow:
    """Give a meta row with some fields changed."""
    return msgspec.structs.replace(meta, **changes)
