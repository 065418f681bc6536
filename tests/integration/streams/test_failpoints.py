"""F02: a worker killed at each of E1-E8 leaves nothing half done; the next one emits each output once."""

import signal

import pytest

from schemas.failpoints import ENGINE
from schemas.topics import TASK
from tests.chaos.counting_load import Load, Place, Publisher, outputs, states, verdict
from tests.chaos.fleet import Fleet
from tests.integration.streams.conftest import wait_for_all, wait_until

FIRST_ALARM_MS = 1_000
NTH = {"engine.restore_mid_changelog": 2, "engine.restore_after_fence": 3, "engine.between_tick_chunks": 2}


def all_woken(place: Place) -> bool:
    """Whether every customer was woken after its last event."""
    return all(state.woken == state.events for state in states(place).values())


@pytest.mark.parametrize("point", ENGINE)
def test_f02_a_worker_killed_at_this_point(point: str, place: Place, fleet: Fleet, publisher: Publisher) -> None:
    load = Load(7, 300)
    fleet.extra = {"COUNTING_FIRST_ALARM_MS": str(FIRST_ALARM_MS), "PERENNIAL_TICK_CHUNK": "20"}
    publisher.publish(load, 1_500)
    fleet.start("worker-1")
    wait_for_all(place, load)
    publisher.tick(FIRST_ALARM_MS + 1)
    wait_until(lambda: all_woken(place), "everybody was woken")
    fleet.kill("worker-1")
    publisher.publish(load, 1_500)
    publisher.tick(FIRST_ALARM_MS + 2)
    fleet.start("worker-1", PERENNIAL_FAILPOINTS=f"{point}=kill@{NTH.get(point, 4)}")
    wait_until(lambda: fleet.members["worker-1"].process.poll() is not None, f"the worker dies at {point}")
    assert fleet.members["worker-1"].process.returncode == -signal.SIGKILL
    wait_for_all(place, load, fleet)
    publisher.tick(FIRST_ALARM_MS + 3)
    wait_until(lambda: all_woken(place), "everybody was woken again")
    assert verdict(place, load).is_clean
    for said in outputs(place, TASK).values():
        assert said == sorted(set(said)), "a wake was repeated"
