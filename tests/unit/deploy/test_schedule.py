"""Scheduled inputs: published once, at or before their instant, in order; a line that is none is named."""

from pathlib import Path

import pytest

from connectors.sources.rows import UnreadableFile
from deploy.demo.files import SCHEDULE, write_world
from deploy.demo.plan import PlannedRow, Poison, World, WorldPlan
from deploy.demo.system import System, SystemPlan
from deploy.schedule import Schedule, read_schedule
from tests.unit.connectors.sources.test_ingest import ListedOutlet

PLAN = WorldPlan(customers=10, days=5)
PAYMENT = {
    "type": "payment",
    "customer_id": "C-1",
    "contract_id": "K-1",
    "payment_id": "P-1",
    "version": 1,
    "occurred_at": "2026-02-03T06:00:00Z",
    "term_id": "T",
    "kind": "paid",
}


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(SystemPlan(bootstrap_servers="nowhere:1", redis_url="redis://nowhere:1", folder=tmp_path))


def world(*schedule: PlannedRow | Poison) -> World:
    return World(plan=PLAN, files={}, spoilt_lines=(), schedule=schedule, contacts=())


def test_what_is_due_is_published_once_and_in_order(system: System, tmp_path: Path) -> None:
    first = PlannedRow(at_ms=PLAN.start_ms + 1_000, fields=PAYMENT)
    second = Poison(at_ms=PLAN.start_ms + 2_000, topic="renewal.payment.v1", customer_id="C-2", value=b"\x00")
    write_world(world(first, second), tmp_path)
    outlet = ListedOutlet()
    schedule = Schedule(read_schedule(tmp_path / SCHEDULE, system.ingestion()), outlet)
    assert schedule.next_at_ms() == first.at_ms
    schedule.publish_until(first.at_ms - 1)
    assert outlet.published == []
    schedule.publish_until(first.at_ms)
    schedule.publish_until(first.at_ms)
    assert [key for _, key, _ in outlet.published] == [b"C-1"]
    assert schedule.next_at_ms() == second.at_ms
    schedule.publish_until(second.at_ms + 5_000)
    assert [(key, value) for _, key, value in outlet.published][1:] == [(b"C-2", b"\x00")]
    assert schedule.next_at_ms() is None


@pytest.mark.parametrize(
    "line",
    ["not json", '{"record": {}}', '{"at": "tomorrow", "record": {}}', '{"at": "2026-02-03T06:00:00Z", "record": {}}'],
)
def test_a_line_that_is_no_scheduled_input_is_named(system: System, tmp_path: Path, line: str) -> None:
    path = tmp_path / "later.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"later\.jsonl, line 1: .*write \{"):
        list(read_schedule(path, system.ingestion()))
