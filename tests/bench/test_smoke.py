"""The bench itself, at its smallest: every system of our own environment does its work and is found valid."""

import json

import pytest

from schemas.transport.settings import KafkaSettings
from tests.bench.dataset import delete_all
from tests.bench.latency import measure_latency
from tests.bench.systems import ENGINE, ENGINE_REAL_STEP, FAUST, HAND_LOOP, System
from tests.bench.throughput import Plan, measure_throughput


@pytest.mark.parametrize("system", [HAND_LOOP, ENGINE, ENGINE_REAL_STEP, FAUST], ids=lambda system: system.name)
def test_a_system_does_the_work_of_the_bench(system: System, bootstrap: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=bootstrap)
    try:
        found = measure_throughput(settings, prefix, Plan(seed=1, events=10_000, rounds=1), (system,))
    finally:
        delete_all(settings, prefix)
    (run,) = found.runs
    assert run.failed == ()
    assert run.per_second > 0
    assert json.dumps([row.as_json() for row in found.rows()])


def test_decisions_under_a_steady_load_are_all_seen_and_timed(bootstrap: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=bootstrap)
    try:
        found = measure_latency(settings, prefix, seed=1, seconds=2, core=-1)
    finally:
        delete_all(settings, prefix)
    assert found.failed == ()
    assert len(found.samples_ms) > 400
    assert min(found.samples_ms) > 0
