"""The last check before a call: the fences of a partition, and how far they can be believed."""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from schemas.identity import FenceKey
from schemas.outputs import FenceRaised, HeartbeatSent
from schemas.vocabulary import FenceKind

FRESH_FOR_MS = 3_000
AHEAD_AT_MOST_MS = 1_000
_STOP_PREFIX = f"{FenceKind.STOP.value}|"


class FenceTable:
    """The fences of one partition and its newest heartbeat; who has read a heartbeat has read every fence before it."""

    def __init__(self, *, on_erased: Callable[[str], None] | None = None) -> None:
        self._standing: set[str] = set()
        self._on_erased = on_erased
        self._is_distrusted = False
        self._heartbeat: HeartbeatSent | None = None

    @property
    def heartbeat(self) -> HeartbeatSent | None:
        """The newest sign of life; None before the first, and for good once a fence could not be read."""
        return None if self._is_distrusted else self._heartbeat

    def apply(self, key: str, record: FenceRaised | HeartbeatSent | None) -> None:
        """Take one record of the fence topic, in topic order; None lifts the fence of that key."""
        match record:
            case None:
                self._standing.discard(key)
            case HeartbeatSent():
                self._heartbeat = record
            case FenceRaised():
                self._standing.add(key)
                if record.kind is FenceKind.ERASED and self._on_erased is not None:
                    self._on_erased(record.customer_id)

    def distrust(self) -> None:
        """A fence could not be read: it may forbid anything, so nothing is called on this table's word again."""
        self._is_distrusted = True

    def standing(self, keys: Iterable[FenceKey]) -> FenceKey | None:
        """The first of these fences that stands."""
        return next((key for key in keys if key in self._standing), None)

    @property
    def is_stopped(self) -> bool:
        """Whether an operator has stopped something here."""
        return any(key.startswith(_STOP_PREFIX) for key in tuple(self._standing))

    def has_reached(self, decided_at_ms: int) -> bool:
        """Whether every fence raised or lifted before that decision has been read here."""
        heartbeat = self.heartbeat
        return heartbeat is not None and heartbeat.fresh_at_ms >= decided_at_ms

    def __len__(self) -> int:
        return len(self._standing)


def is_stop(fence: FenceKey) -> bool:
    """Whether a fence is an operator's stop."""
    return fence.startswith(_STOP_PREFIX)


class Clock(Protocol):
    """What time it is for a partition, and whether what it knows of fences is recent enough to act on."""

    @property
    def is_virtual(self) -> bool:
        """Whether time is what heartbeats say; a heartbeat of the other kind is never believed."""

    def now_ms(self, heartbeat: HeartbeatSent | None) -> int:
        """The current instant of the domain."""

    def believes(self, heartbeat: HeartbeatSent | None) -> bool:
        """Whether a call may be made on the word of this heartbeat."""


class WallClock:
    """Real time: a heartbeat is believed for 3 s, and not at all when it is more than 1 s ahead of us."""

    is_virtual = False

    def __init__(self, read_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._read_ms = read_ms

    def now_ms(self, heartbeat: HeartbeatSent | None) -> int:
        """The host's clock; the heartbeat has no say."""
        del heartbeat
        return self._read_ms()

    def believes(self, heartbeat: HeartbeatSent | None) -> bool:
        """Age from `fresh_at_ms`, so that a backlog, a waiting tick and a clock that is behind all count."""
        if heartbeat is None or heartbeat.is_virtual:
            return False
        return -AHEAD_AT_MOST_MS <= self._read_ms() - heartbeat.fresh_at_ms <= FRESH_FOR_MS


class VirtualClock:
    """The demo's and the tests' time: the partition's watermark, fresh as long as there is one."""

    is_virtual = True

    def now_ms(self, heartbeat: HeartbeatSent | None) -> int:
        """The watermark of the newest heartbeat; 0 before the first."""
        return heartbeat.watermark_at_ms if heartbeat is not None else 0

    def believes(self, heartbeat: HeartbeatSent | None) -> bool:
        """On a virtual clock the heartbeat of the current tick is fresh, however long it takes."""
        return heartbeat is not None and heartbeat.is_virtual


def other_time(clock: Clock, heartbeat: HeartbeatSent) -> str:
    """Why this clock may not judge a partition with this sign of life, and what to do; empty when it may."""
    if clock.is_virtual == heartbeat.is_virtual:
        return ""
    ours, theirs = ("virtual", "real") if clock.is_virtual else ("real", "virtual")
    return (
        f"this channel is set to {ours} time, but partition {heartbeat.partition} lives in {theirs} time: set "
        f"PERENNIAL_VIRTUAL_TIME={str(not clock.is_virtual).lower()} here too, or give the {ours} system topics of its "
        "own by PERENNIAL_TOPIC_PREFIX"
    )
