"""`perennial stop` and `start`: nothing leaves in between, and what was due leaves once afterwards (R52)."""

from datetime import timedelta

import pytest

from tests.e2e.rows import contract, customer
from tests.e2e.system import LiveSystem, at


def test_what_is_due_while_stopped_leaves_once_after_the_start(system: LiveSystem) -> None:
    monday = system.next_monday()
    system.publish(customer("S-1"), contract("S-1", monday + timedelta(days=30)))
    system.verb("stop", "--reason", "a wrong template")
    system.kill_worker()
    system.verb("stop", "--reason", "a wrong template")
    system.pass_until(at(monday, "08:20"))  # t30 opened at 08:00
    assert system.mails("S-1") == []
    told = system.explain("S-1")
    assert "t30 of contract K-S-1 by email: held back, because an operator had stopped sending" in told

    system.verb("start")
    system.kill_worker()
    system.verb("start")
    system.pass_until(at(monday, "09:00"))
    assert system.mails("S-1") == ["t30"]
    assert "t30 of contract K-S-1 by email: sent, because the provider accepted it" in system.explain("S-1")


@pytest.mark.parametrize(("stopped", "mails"), [("sms", ["t30"]), ("email", [])])
def test_a_stop_of_one_channel_stops_no_other(system: LiveSystem, stopped: str, mails: list[str]) -> None:
    monday = system.next_monday()
    who = f"S-{stopped}"
    system.publish(customer(who), contract(who, monday + timedelta(days=30)))
    system.verb("stop", "--channel", stopped)
    system.pass_until(at(monday, "08:20"))
    assert system.mails(who) == mails

    system.verb("start", "--channel", stopped)
    system.pass_until(at(monday, "09:00"))
    assert system.mails(who) == ["t30"]
