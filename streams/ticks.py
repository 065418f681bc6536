"""Ticks waiting for their barrier: the newest whose barrier is met is applied, the others become no-ops (I6, I10)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from schemas.events import Tick
from streams.barrier import is_passed

MOST_WAITING = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedTick:
    """A tick as it arrived; `now_ms` is never later than the broker's append time, unless time is virtual."""

    tick: Tick
    now_ms: int
    offset: int
    is_ahead: bool


def stamped(tick: Tick, appended_at_ms: int, offset: int) -> StampedTick:
    """Take a tick of a real clock: one that is ahead must not make anything early (I10)."""
    now_ms = min(tick.now_ms, appended_at_ms)
    return StampedTick(tick=tick, now_ms=now_ms, offset=offset, is_ahead=tick.now_ms > appended_at_ms)


def virtual(tick: Tick, offset: int) -> StampedTick:
    """Take a tick of a virtual clock at its word."""
    return StampedTick(tick=tick, now_ms=tick.now_ms, offset=offset, is_ahead=False)


class WaitingTicks:
    """The ticks of one partition that are later than its watermark, oldest first; few, however long they wait."""

    def __init__(self) -> None:
        self._ticks: list[StampedTick] = []

    def __len__(self) -> int:
        return len(self._ticks)

    def add(self, tick: StampedTick) -> None:
        """Let a tick wait; when many do, every second one goes, and the oldest and newest stay."""
        self._ticks.append(tick)
        if len(self._ticks) > MOST_WAITING:
            self._ticks = [*self._ticks[:-1:2], self._ticks[-1]]

    def newest_passed(self, positions: Mapping[str, int], topics: Collection[str]) -> StampedTick | None:
        """Give the latest instant whose barrier over these topics is passed."""
        passed = [tick for tick in self._ticks if is_passed(tick.tick, positions, topics)]
        return max(passed, key=lambda tick: tick.now_ms, default=None)

    def forget_until(self, now_ms: int) -> None:
        """Drop what is not after this instant."""
        self._ticks = [tick for tick in self._ticks if tick.now_ms > now_ms]

    def oldest_at_ms(self) -> int | None:
        """Tell since when the longest-waiting tick waits, for the metrics."""
        return min((tick.now_ms for tick in self._ticks), default=None)
