"""Compensation replay: what an outage lost is judged again, once; what must not leave any more is declined with why."""

from dataclasses import replace

import pytest

from deploy.demo.system import SystemPlan
from tests.e2e.story import Story, contract, customer, payment


@pytest.fixture
def where(where: SystemPlan) -> SystemPlan:
    """A provider that refuses two recipients for good."""
    return replace(where, rules=("^c-lost@=refuse", "^c-paid@=refuse"))


def test_lost_touches_are_judged_again_and_nothing_is_sent_twice(story: Story) -> None:
    for name, number in (("C-lost", "1"), ("C-paid", "2"), ("C-fine", "3")):
        story.publish(customer(name), contract(name, f"K-{number}", "2026-02-10"))
    story.pass_time("2026-02-03T09:00:00Z")
    assert story.mails() == [("K-3", "t7")]
    assert "t7 of contract K-1 by email: given up" in story.explain("C-lost")
    story.publish(payment("C-paid", "K-2"))
    story.pass_time("2026-02-03T09:30:00Z")
    story.provider_recovers()
    dry = story.system.verb("replay", "--since", "2026-02-03")
    assert "dry run" in dry
    assert "1 of 2 would be released" in dry
    assert "declined: paid" in dry
    assert story.mails() == [("K-3", "t7")]
    asked = story.beside("replay", "--since", "2026-02-03", "--apply")
    story.requests_arrived(2)
    story.kill_worker()
    story.pass_time("2026-02-03T10:00:00Z")
    assert "1 of 2 released" in asked.result()
    again = story.beside("replay", "--since", "2026-02-03", "--apply")
    story.requests_arrived(3)
    story.pass_time("2026-02-03T11:00:00Z")
    told = again.result()
    assert "0 of 1 released" in told
    assert "declined: paid" in told
    assert sorted(story.mails()) == [("K-1", "t7"), ("K-3", "t7")]
    assert "t7 of contract K-1 by email: sent" in story.explain("C-lost")
