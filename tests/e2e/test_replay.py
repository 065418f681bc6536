"""Compensation replay answers for every lost touch: released, or declined with why it must not leave any more."""

from dataclasses import replace

import pytest

from deploy.demo.system import SystemPlan
from tests.e2e.story import Story, contract, customer, payment, request

ANSWERS = {
    "C-lost": "released: due",
    "C-busy": "released: due",
    "C-paid": "declined: paid",
    "C-out": "declined: unsubscribed",
    "C-erased": "declined: erased",
    "C-late": "declined: window_closed",
}


@pytest.fixture
def where(where: SystemPlan) -> SystemPlan:
    """A provider out of order, and operators in Shanghai."""
    return replace(where, rules=("^c-busy@=busy", "^c-fine@=none", ".*=refuse"), environment={"TZ": "Asia/Shanghai"})


def test_each_lost_touch_is_answered_and_nothing_is_sent_twice(story: Story) -> None:
    rows: list[dict[str, object]] = []
    for name in (*ANSWERS, "C-fine"):
        rows += customer(name), contract(name, name, "2026-02-09" if name == "C-late" else "2026-02-10")
    story.publish(*rows)
    story.pass_time("2026-02-03T12:00:00Z")  # C-late's t7 was due the day before; retries of the others are over
    assert story.mails() == [("C-fine", "t7")]
    assert "given up, because every try failed" in story.explain("C-busy")
    story.publish(payment("C-paid", "C-paid"), request("C-out", "opted_out"), request("C-erased", "erasure"))
    story.pass_time("2026-02-04T10:00:00Z")
    story.provider_recovers()

    assert "nothing was lost since then" in story.system.verb("replay", "--since", "2026-02-04T00:00Z")
    rehearsed = story.system.verb("replay", "--since", "2026-02-02T00:00Z")
    assert {name: answer_in(rehearsed, name) for name in ANSWERS} == ANSWERS
    assert "2 of 6 would be released" in rehearsed
    story.pass_time("2026-02-04T10:10:00Z")
    assert story.mails() == [("C-fine", "t7")]

    asked = story.beside("replay", "--since", "2026-02-02T00:00Z", "--apply")
    story.requests_arrived(7)
    story.kill_worker()
    story.pass_time("2026-02-04T10:20:00Z")
    applied = asked.result()
    assert {name: answer_in(applied, name) for name in ANSWERS} == ANSWERS
    again = story.beside("replay", "--since", "2026-02-02T00:00Z", "--apply")
    story.requests_arrived(10)
    story.pass_time("2026-02-04T10:30:00Z")
    assert "0 of 4 released" in again.result()
    assert sorted(story.mails()) == [("C-busy", "t7"), ("C-fine", "t7"), ("C-lost", "t7")]
    assert story.calls("C-lost") == ["refuse", "none"]
    assert "t7 of contract C-lost by email: sent, because the provider accepted it" in story.explain("C-lost")
    assert "not reopened, because its window had closed" in story.explain("C-late")


def answer_in(table: str, name: str) -> str:
    """The last cell of the row about a customer's contract."""
    row = next(line for line in table.splitlines() if f"{name}|" in line or f"{name}/" in line)
    return row.strip("│ ").split("│")[-1].strip()
