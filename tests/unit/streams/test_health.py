"""Health by progress, and a catalogue whose every series is there before anything happens."""

import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from schemas.errors import ExitCode
from schemas.topics import CUSTOMER, INPUTS, PAYMENT
from streams.copartition import CoPartition
from streams.health import SILENT_MS, Health, HealthServer
from streams.memory import HandClock
from streams.memory_log import MemoryCluster, MemoryLog
from streams.metrics import Metrics
from streams.observation import Observation
from tests.unit.streams.looking import ANN
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world


def health(world: World) -> Health:
    """The health of a world's engine."""
    return Health(
        engine=world.engine,
        log=world.log,
        observation=Observation(metrics=world.metrics, clock=world.clock),
        clock=world.clock,
    )


def test_every_counter_is_there_at_zero_from_the_start() -> None:
    text = Metrics().exposed().decode()
    for topic in INPUTS:
        assert f'perennial_records_applied_total{{topic="{topic}"}} 0.0' in text
    for name in ("decision", "reason"):
        assert f"{name}=" in text
    assert 'perennial_touches_released_total{channel="email"} 0.0' in text
    assert f'perennial_worker_previous_exit{{code="{ExitCode.FENCED.value}"}} 0.0' in text
    assert 'perennial_invariant_breaches_total{invariant="law_1"} 0.0' in text


@in_a_world
async def test_a_worker_is_live_while_ticks_are_applied_and_not_when_one_waits_for_ever() -> None:
    world = World(ProbingBrain())
    await world.start()
    judge = health(world)
    assert judge.is_live()
    world.tick(100, barrier={})
    await world.pump()
    assert judge.is_live()
    world.clock.at_ms += SILENT_MS + 1
    assert not judge.is_live()
    world.tick(200)
    await world.pump()
    assert judge.is_live()


@in_a_world
async def test_a_worker_without_ticks_is_the_clocks_trouble() -> None:
    world = World(ProbingBrain())
    await world.start()
    judge = health(world)
    assert judge.is_live()
    world.clock.at_ms += 100 * SILENT_MS
    assert judge.is_live()


@in_a_world
async def test_a_frame_that_brings_no_tick_for_a_minute_is_stalled() -> None:
    world = World(ProbingBrain())
    await world.start()
    judge = health(world)
    assert not judge.is_stalled()
    world.tick(100)
    assert not judge.is_stalled()
    world.clock.at_ms += SILENT_MS + 1
    assert judge.is_stalled()
    await world.pump()
    assert not judge.is_stalled()


@in_a_world
async def test_a_worker_is_ready_only_while_it_serves_what_it_was_given() -> None:
    world = World(ProbingBrain())
    await world.start()
    assert health(world).is_ready()
    await world.engine.quiesce()
    assert not health(world).is_ready()


@in_a_world
async def test_the_metrics_tell_what_was_done_and_how_a_partition_stands() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first", now_ms=100)
    await world.fed(PAYMENT, ANN, b"ann:raise")
    world.clock.at_ms = 5_100
    text = health(world).metrics().decode()
    assert f'perennial_records_applied_total{{topic="{CUSTOMER}"}} 1.0' in text
    assert f'perennial_dead_letters_total{{cause="step_failed",topic="{PAYMENT}"}} 1.0' in text
    assert 'perennial_customers{condition="quarantined",partition="0"} 1.0' in text
    assert 'perennial_watermark_lag_seconds{partition="0"} 5.0' in text
    await world.own(())
    assert 'partition="0"' not in health(world).metrics().decode()


@in_a_world
async def test_a_partition_given_up_while_it_is_looked_at_breaks_no_page() -> None:
    world = World(ProbingBrain())
    await world.start()
    judge = health(world)
    part = world.engine.part(0)

    class Leaving(Idle):
        """An engine that gives a partition up between two questions."""

        asked = 0

        @property
        def partitions(self) -> frozenset[int]:  # type: ignore[override]
            self.asked += 1
            return frozenset({0} if self.asked == 1 else ())

    judge.engine = Leaving()
    assert judge.is_live()
    judge.engine = Leaving()
    assert b"perennial_build_info" in judge.metrics()

    class Closing(Leaving):
        """An engine whose store closes under the one who looks."""

        def part(self, partition: int) -> CoPartition:
            assert partition == part.number
            raise RuntimeError("DB instance already closed")

    judge.engine = Closing()
    assert b"perennial_build_info" in judge.metrics()


def test_the_notes_of_killed_processes_are_swept_at_the_next_start(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (f"health-{ended.pid}.port", f"health-{os.getppid()}.port", "health-x.port"):
        tmp_path.joinpath(name).write_text("1\n")
    clock = HandClock()
    judge = Health(
        engine=Idle(),
        log=MemoryLog(MemoryCluster(1), "idle"),
        observation=Observation(metrics=Metrics(), clock=clock),
        clock=clock,
    )
    with HealthServer(judge, 0, tmp_path):
        left = {note.name for note in tmp_path.iterdir()}
    assert left == {f"health-{os.getpid()}.port", f"health-{os.getppid()}.port", "health-x.port"}


class Idle:
    """An engine that owns nothing and is ready for it."""

    partitions: frozenset[int] = frozenset()
    is_ready = True

    def part(self, partition: int) -> CoPartition:
        raise KeyError(partition)


@pytest.mark.parametrize(("path", "status"), [("/live", 200), ("/ready", 200), ("/metrics", 200), ("/other", 404)])
def test_the_pages_answer_on_the_loopback(path: str, status: int, tmp_path: Path) -> None:
    clock = HandClock()
    judge = Health(
        engine=Idle(),
        log=MemoryLog(MemoryCluster(1), "idle"),
        observation=Observation(metrics=Metrics(), clock=clock),
        clock=clock,
    )
    with HealthServer(judge, 0, tmp_path) as server:
        assert [note.read_text() for note in tmp_path.iterdir()] == [f"{server.port}\n"]
        connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", path)
        assert connection.getresponse().status == status
        connection.close()
    assert list(tmp_path.iterdir()) == []
