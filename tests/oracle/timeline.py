"""The ticks of one partition: which facts each had certainly seen, and which time it was at a wall instant."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.events import Tick
from schemas.outputs import HeartbeatSent
from tests.oracle.bundle import Logged

NEVER_MS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One tick that moved time on."""

    now_ms: int
    offset: int
    appended_at_ms: int
    barrier: Mapping[str, int]


class Timeline:
    """Domain time of one partition, from its ticks (evidence); heartbeats only narrow what was open to doubt."""

    def __init__(
        self, *, stamps: tuple[Stamp, ...], is_virtual: bool = False, heartbeats: Iterable[tuple[int, int]] = ()
    ) -> None:
        self.stamps = stamps
        self.is_virtual = is_virtual
        self._instants = [stamp.now_ms for stamp in stamps]
        self._appended = _running_most([stamp.appended_at_ms for stamp in stamps])
        self._barriers: dict[str, list[int]] = {}
        beats = sorted(heartbeats)
        self._beat_at = [appended for appended, _ in beats]
        self._beat_marks = _running_most([mark for _, mark in beats])

    def certain_ms(self, topic: str, offset: int) -> int:
        """Tell the first tick whose barrier exceeds this offset; NEVER_MS when there is none."""
        place = bisect_right(self._barrier(topic), offset)
        return self._instants[place] if place < len(self._instants) else NEVER_MS

    def possible_ms(self, appended_at_ms: int) -> int:
        """Tell the first tick whose wakes may have seen a record of this append time: none finished before it."""
        place = bisect_right(self._beat_at, appended_at_ms)
        done = self._beat_marks[place - 1] if place else -1
        later = bisect_right(self._instants, done)
        return self._instants[later] if later < len(self._instants) else NEVER_MS

    def domain_ms(self, wall_ms: int) -> int:
        """Tell the greatest tick published by a wall instant; 0 before the first."""
        place = bisect_right(self._appended, wall_ms)
        return self._instants[place - 1] if place else 0

    def at(self, now_ms: int) -> Stamp | None:
        """Find the tick of exactly this instant."""
        place = bisect_left(self._instants, now_ms)
        found = place < len(self._instants) and self._instants[place] == now_ms
        return self.stamps[place] if found else None

    def first_within(self, from_ms: int, to_ms: int) -> int | None:
        """Find the first tick in [from, to)."""
        place = bisect_left(self._instants, from_ms)
        found = place < len(self._instants) and self._instants[place] < to_ms
        return self._instants[place] if found else None

    def has_tick_within(self, from_ms: int, to_ms: int) -> bool:
        """Whether any tick falls into [from, to)."""
        return self.first_within(from_ms, to_ms) is not None

    @property
    def last_ms(self) -> int:
        """The last tick's instant, 0 without any."""
        return self._instants[-1] if self._instants else 0

    def _barrier(self, topic: str) -> list[int]:
        if topic not in self._barriers:
            self._barriers[topic] = _running_most([stamp.barrier.get(topic, 0) for stamp in self.stamps])
        return self._barriers[topic]


def timeline_of(ticks: Iterable[Logged], fences: Iterable[Logged], *, is_virtual: bool) -> Timeline:
    """Keep the ticks that moved time on (I10), each no later than its own append time on a real clock."""
    stamps: list[Stamp] = []
    watermark = -1
    for logged in ticks:
        if isinstance(tick := logged.record, Tick):
            now_ms = tick.now_ms if is_virtual else min(tick.now_ms, logged.appended_at_ms)
            if now_ms > watermark:
                watermark = now_ms
                stamps.append(
                    Stamp(
                        now_ms=now_ms,
                        offset=logged.offset,
                        appended_at_ms=logged.appended_at_ms,
                        barrier=tick.barrier,
                    )
                )
    beats = [
        (logged.appended_at_ms, logged.record.watermark_at_ms)
        for logged in fences
        if isinstance(logged.record, HeartbeatSent)
    ]
    return Timeline(stamps=tuple(stamps), is_virtual=is_virtual, heartbeats=beats)


def _running_most(values: list[int]) -> list[int]:
    most, running = -1, []
    for value in values:
        most = max(most, value)
        running.append(most)
    return running
