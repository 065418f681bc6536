"""The real clock's barriers and the virtual clock's lock-step, on real Kafka."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.codec import packaged_codec
from schemas.events import Tick
from schemas.topics import BARRIER, ENGAGEMENT, TICK
from schemas.transport.positions import Positions
from schemas.transport.reader import read_to_end
from schemas.transport.records import TopicPartition
from streams.clock import ticker
from streams.settings import ClockSettings
from streams.virtual_clock import LockStepBroken, run
from tests.chaos.counting_load import Load, Place, Publisher, states, verdict
from tests.chaos.fleet import Fleet

ALARM_MS = 5_000


def clock_settings(place: Place, folder: Path) -> ClockSettings:
    """A clock of this place."""
    return ClockSettings(
        bootstrap_servers=place.bootstrap,
        topic_prefix=place.prefix,
        application=place.application,
        partitions=place.partitions,
        state_dir=folder,
        clock_id="test",
    )


@dataclass(slots=True)
class ThreeInstants:
    """Publishes a part of a load at each of its instants."""

    publisher: Publisher
    load: Load
    instants: list[int]
    published: list[int] = field(default_factory=list)

    def next_at_ms(self) -> int | None:
        return self.instants[0] if self.instants else None

    def publish_until(self, now_ms: int) -> None:
        while self.instants and self.instants[0] <= now_ms:
            self.published.append(self.instants.pop(0))
            self.publisher.publish(self.load, 200)


def test_i6_a_tick_carries_the_ends_of_its_partition_and_not_of_engagement(
    place: Place, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish(Load(1, 50), 200)
    ends = Positions(place.settings).end_offsets([tp for topic in BARRIER for tp in place.tps(topic)])
    ticker(clock_settings(place, tmp_path), packaged_codec()).tick(123)
    for tp in place.tps(TICK):
        (piece,) = read_to_end(place.settings, tp, 0)
        (record,) = piece.records
        tick = packaged_codec().decode(record.value, Tick)
        assert record.key == f"p{tp.partition}".encode()
        assert tick.now_ms == 123
        assert tick.barrier == {topic: ends[TopicPartition(place.name(topic), tp.partition)] for topic in BARRIER}
        assert ENGAGEMENT not in tick.barrier


def test_i11_the_virtual_clock_goes_from_alarm_to_input_to_alarm(
    place: Place, fleet: Fleet, publisher: Publisher, tmp_path: Path
) -> None:
    fleet.extra = {"COUNTING_FIRST_ALARM_MS": str(ALARM_MS), "PERENNIAL_VIRTUAL_TIME": "true"}
    fleet.start("worker-1")
    fleet.start("worker-2")
    schedule = ThreeInstants(publisher, Load(12, 100), [1_000, 2_000, 7_000])
    instants: list[int] = []
    done = run(
        clock_settings(place, tmp_path),
        packaged_codec(),
        start_ms=1,
        until_ms=9_000,
        schedule=schedule,
        on_tick=instants.append,
    )
    assert instants == [1, 1_000, 2_000, ALARM_MS, 7_000, 9_000]
    assert (done.ticks, done.last_at_ms) == (6, 9_000)
    assert all(state.woken == state.events for state in states(place).values())
    assert verdict(place, schedule.load).is_clean


def test_i11_lock_step_says_who_it_waits_for(place: Place, publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(LockStepBroken, match="no heartbeat"):
        run(
            clock_settings(place, tmp_path),
            packaged_codec(),
            start_ms=1,
            until_ms=2,
            schedule=ThreeInstants(publisher, Load(1, 1), []),
            patience_ms=500,
        )
