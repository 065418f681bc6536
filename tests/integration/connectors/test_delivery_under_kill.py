"""Two channel processes under kill -9 and SIGSTOP: nothing lost, surplus only of what was in doubt (F04, F16)."""

import signal
from collections import Counter

import pytest

from schemas.errors import ExitCode
from schemas.vocabulary import Outcome
from tests.delivering.stage import Stage, until

W = 16
MANY = [f"c{number:04}" for number in range(600)]
QUICK = {
    "PERENNIAL_IN_FLIGHT": str(W),
    "PERENNIAL_TRANSACTION_TIMEOUT_MS": "3000",
    "PERENNIAL_SESSION_TIMEOUT_MS": "3000",
}
SLOWLY = ("--fault", "slow=1.0:40")


def wait_for_mails(stage: Stage, count: int) -> None:
    """Until the provider has accepted so many."""
    until(lambda: len(stage.received()) >= count, 60, f"{count} mails")


def test_kill_9_loses_nothing_and_repeats_only_what_was_in_doubt(stage: Stage) -> None:
    stage.know(MANY)
    stage.contacts()
    port = stage.simulator(*SLOWLY)
    owners = [stage.channel(port, **QUICK) for _ in range(2)]
    kills = 0
    with stage.heart():
        commands = stage.order(MANY)
        for target in (100, 250, 400):
            wait_for_mails(stage, target)
            owners.pop(0).signal(signal.SIGKILL)
            kills += 1
            owners.append(stage.channel(port, **QUICK))
        until(lambda: len(stage.receipts()) >= len(MANY), 90, "a receipt for every command")
    assert stage.times_received().keys() == {command.touch_key for command in commands}
    assert Counter(str(receipt.touch_key) for receipt in stage.receipts()).most_common(1)[0][1] == 1
    assert stage.surplus() <= stage.begun_more_than_once()
    assert len(stage.begun_more_than_once()) <= W * kills
    assert max(stage.times_received().values()) <= 1 + kills


def test_an_owner_that_slept_past_its_session_calls_nothing_and_exits_as_fenced(stage: Stage) -> None:
    stage.know(MANY)
    stage.contacts()
    port = stage.simulator(*SLOWLY)
    sleeper, other = (stage.channel(port, **QUICK) for _ in range(2))
    until(lambda: all("partition_opened" in owner.said() for owner in (sleeper, other)), 30, "one partition each")
    with stage.heart():
        stage.order(MANY)
        wait_for_mails(stage, 100)
        sleeper.signal(signal.SIGSTOP)
        until(lambda: len(stage.receipts()) >= len(MANY), 90, "the other to take over and finish")
        before = len(stage.received())
        sleeper.signal(signal.SIGCONT)
        assert sleeper.ended() == ExitCode.FENCED.status, sleeper.said()
    assert len(stage.received()) == before
    assert stage.surplus() <= stage.begun_more_than_once()
    assert len(stage.begun_more_than_once()) <= W
    assert other.process.poll() is None


def test_an_orderly_stop_leaves_nothing_in_doubt(stage: Stage) -> None:
    stage.know(MANY)
    stage.contacts()
    port = stage.simulator(*SLOWLY)
    first = stage.channel(port, **QUICK)
    with stage.heart():
        stage.order(MANY)
        wait_for_mails(stage, 100)
        first.signal(signal.SIGTERM)
        assert first.ended() == 0, first.said()
        assert stage.in_doubt() == set()
        assert len(stage.receipts()) == len(stage.received())
        stage.channel(port, **QUICK)
        until(lambda: len(stage.receipts()) >= len(MANY), 60, "a receipt for every command")
    assert stage.surplus() == set()


@pytest.mark.parametrize("point", ["delivery.after_intents", "delivery.before_call"])
def test_an_owner_stopped_between_intent_and_call_never_calls_once_it_wakes(stage: Stage, point: str) -> None:
    few = MANY[:W]
    stage.know(few)
    stage.contacts()
    port = stage.simulator()
    with stage.heart():
        sleeper = stage.channel(port, **QUICK, PERENNIAL_FAILPOINTS=f"{point}=delay:3000")
        until(lambda: "partition_opened" in sleeper.said(), 30, "its partitions")
        stage.order(few)
        until(lambda: stage.in_doubt() != set(), 30, "its intents")
        sleeper.signal(signal.SIGSTOP)
        stage.channel(port, **QUICK)
        until(lambda: len(stage.receipts()) >= len(few), 60, "the other to take over and finish")
        sleeper.signal(signal.SIGCONT)
        assert sleeper.ended() == ExitCode.FENCED.status, sleeper.said()
    assert set(stage.times_received().values()) == {1}
    assert len(stage.times_received()) == len(few)


def test_faults_and_kills_together_leave_every_receipt_true(stage: Stage) -> None:
    some = MANY[:300]
    stage.know(some)
    stage.contacts()
    port = stage.simulator("--seed", "7", "--fault", "busy=0.2,drop=0.05,slow=0.2:100,refuse=0.05,timeout=0.03")
    impatient = {**QUICK, "PERENNIAL_SMTP_TIMEOUT_MS": "1000"}
    owners = [stage.channel(port, **impatient) for _ in range(2)]
    with stage.heart():
        stage.order(some)
        for target in (60, 160):
            wait_for_mails(stage, target)
            owners.pop(0).signal(signal.SIGKILL)
            owners.append(stage.channel(port, **impatient))
        until(lambda: len(stage.receipts()) >= len(some), 90, "a receipt for every command")
    outcomes = {str(receipt.touch_key): receipt.outcome for receipt in stage.receipts()}
    acted, repeated = stage.times_received(), stage.begun_more_than_once()
    assert len(outcomes) == len(stage.receipts()) == len(some)
    assert {key for key, outcome in outcomes.items() if outcome is Outcome.ACCEPTED} <= acted.keys()
    assert {key for key in acted if outcomes[key].is_definite_refusal} <= repeated
    assert not {key for key in acted if outcomes[key] is Outcome.PERMANENT_FAILURE}
    assert stage.surplus() <= repeated
