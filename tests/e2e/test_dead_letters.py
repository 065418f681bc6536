"""`perennial dead-letters`: a touch the provider refused, a record nobody can read, each kept once, with its cause."""

from dataclasses import replace

import pytest

from deploy.demo.system import SystemPlan
from schemas import topics
from tests.e2e.story import Story, contract, customer


@pytest.fixture
def where(where: SystemPlan) -> SystemPlan:
    """A provider that answers one recipient with a 5xx."""
    return replace(where, rules=("^c-refused@=refuse",))


def test_what_was_given_up_is_listed_once_with_its_cause(story: Story) -> None:
    story.publish(customer("C-refused"), contract("C-refused", "K-1", "2026-02-10"))
    story.publish(customer("C-poisoned"), contract("C-poisoned", "K-2", "2026-02-10"))
    story.publish_raw(topics.PAYMENT, "C-poisoned", b"\xffnot a payment")
    story.pass_time("2026-02-03T12:00:00Z")
    before = story.system.verb("dead-letters", "list")
    story.kill_worker()
    story.pass_time("2026-02-03T13:00:00Z")
    assert story.system.verb("dead-letters", "list") == before

    assert story.mails() == []
    assert story.calls("C-refused") == ["refuse"]
    assert "2 dead letters" in before
    touch, record = row_of("C-refused", before), row_of("C-poisoned", before)
    assert touch[2:5] == ["C-refused", "touch", "permanent_failure"]
    assert record[2:] == ["C-poisoned", "record", "undecodable", "renewal.payment.v1, partition 1, offset 0"]
    only_hers = story.system.verb("dead-letters", "list", "--customer", "C-poisoned")
    assert "1 dead letters" in only_hers

    shown = [story.system.verb("dead-letters", "show", letter[0]) for letter in (touch, record)]
    assert "What to do: mend the cause at the channel, then `perennial replay" in shown[0]
    assert b"\xffnot a payment".hex(" ") in shown[1]
    assert "perennial quarantine release C-poisoned" in shown[1]
    assert "t7 of contract K-1 by email: given up, because it was refused for good" in story.explain("C-refused")
    assert "quarantined (undecodable)" in story.explain("C-poisoned")


def row_of(customer_id: str, table: str) -> list[str]:
    """The cells of the row that names a customer."""
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in table.splitlines()]
    return next(row for row in rows if customer_id in row)
