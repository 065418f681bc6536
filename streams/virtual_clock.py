"""The virtual clock: lock-step by heartbeats, so that a season passes as fast as it can be judged (I11)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from schemas.codec import Codec
from schemas.identity import HEARTBEAT_KEY
from schemas.outputs import FenceRaised, HeartbeatSent
from schemas.topics import FENCE
from schemas.transport.reader import PartitionReader
from schemas.transport.records import BEGINNING, Position
from streams.clock import Ticker, ticker
from streams.settings import ClockSettings

MOST_RECORDS = 5_000
_POLL_MS = 100
PATIENCE_MS = 120_000


class Schedule(Protocol):
    """Inputs that have an instant of their own."""

    def next_at_ms(self) -> int | None:
        """Instant of the next input not yet published; None when all are."""
        ...

    def publish_until(self, now_ms: int) -> None:
        """Publish every input due at or before `now_ms`, and wait until the broker has them."""
        ...


class LockStepBroken(TimeoutError):
    """A partition did not reach the last tick, or something stayed outstanding, for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRun:
    """What a run of the virtual clock came to."""

    ticks: int
    last_at_ms: int


@dataclass(slots=True, kw_only=True)
class Heartbeats:
    """The newest heartbeat of every partition."""

    partitions: int
    newest: dict[int, HeartbeatSent] = field(default_factory=dict)

    def take(self, heartbeat: HeartbeatSent) -> None:
        """Note a heartbeat."""
        self.newest[heartbeat.partition] = heartbeat

    def have_reached(self, now_ms: int) -> bool:
        """Tell whether every partition has applied this instant and nothing is outstanding."""
        return len(self.newest) == self.partitions and all(
            one.watermark_at_ms >= now_ms and not one.outstanding for one in self.newest.values()
        )

    def next_alarm_at_ms(self) -> int | None:
        """Tell the earliest alarm of all customers."""
        return min((one.next_alarm_at_ms for one in self.newest.values() if one.next_alarm_at_ms), default=None)

    def lagging(self, now_ms: int) -> Mapping[int, str]:
        """Say of each partition that is not there yet what it waits for."""
        return {
            number: "no heartbeat" if one is None else f"at {one.watermark_at_ms}, outstanding {one.outstanding}"
            for number in range(self.partitions)
            if (one := self.newest.get(number)) is None or one.watermark_at_ms < now_ms or one.outstanding
        }


def next_instant_ms(now_ms: int, alarm_at_ms: int | None, input_at_ms: int | None, until_ms: int) -> int:
    """Choose the next tick: the earlier of next alarm and next input, after now and not after the end."""
    wanted = [at_ms for at_ms in (alarm_at_ms, input_at_ms) if at_ms is not None]
    return min(until_ms, max(now_ms + 1, min(wanted, default=until_ms)))


def run(
    settings: ClockSettings,
    codec: Codec,
    *,
    start_ms: int,
    until_ms: int,
    schedule: Schedule,
    on_tick: Callable[[int], None] = lambda _now_ms: None,
    patience_ms: int = PATIENCE_MS,
) -> VirtualRun:
    """Tick from `start_ms` to `until_ms`, never before everybody is done with the tick before.

    Raises:
        LockStepBroken: for `patience_ms` no partition moved; the message says which wait for what.
    """
    tell = ticker(settings, codec)
    with PartitionReader(settings.kafka("perennial-virtual-clock")) as reader:
        names = [Position(settings.topic_prefix + FENCE, number, BEGINNING) for number in range(settings.partitions)]
        reader.assign(names)
        heartbeats = Heartbeats(partitions=settings.partitions)
        follow = _Follower(reader=reader, codec=codec, heartbeats=heartbeats, patience_ms=patience_ms)
        return _run(tell, follow, schedule, on_tick, now_ms=start_ms, until_ms=until_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Follower:
    """Reads heartbeats until an instant is done with."""

    reader: PartitionReader
    codec: Codec
    heartbeats: Heartbeats
    patience_ms: int

    def follow(self, now_ms: int) -> None:
        deadline = time.monotonic() + self.patience_ms / 1000
        seen = dict(self.heartbeats.newest)
        while not self.heartbeats.have_reached(now_ms):
            self._read()
            if seen != self.heartbeats.newest:
                seen, deadline = dict(self.heartbeats.newest), time.monotonic() + self.patience_ms / 1000
            if time.monotonic() > deadline:
                raise LockStepBroken(f"tick {now_ms} is not done with: {self.heartbeats.lagging(now_ms)}")

    def _read(self) -> None:
        for record in self.reader.poll(MOST_RECORDS, _POLL_MS):
            if record.key == HEARTBEAT_KEY and record.value is not None:
                heartbeat = self.codec.decode(record.value, (HeartbeatSent, FenceRaised))
                if isinstance(heartbeat, HeartbeatSent):
                    self.heartbeats.take(heartbeat)


def _run(
    tell: Ticker,
    follower: _Follower,
    schedule: Schedule,
    on_tick: Callable[[int], None],
    *,
    now_ms: int,
    until_ms: int,
) -> VirtualRun:
    while True:
        schedule.publish_until(now_ms)
        tell.tick(now_ms)
        follower.follow(now_ms)
        on_tick(now_ms)
        if now_ms >= until_ms:
            return VirtualRun(ticks=tell.sequence, last_at_ms=now_ms)
        heartbeats = follower.heartbeats
        now_ms = next_instant_ms(now_ms, heartbeats.next_alarm_at_ms(), schedule.next_at_ms(), until_ms)
