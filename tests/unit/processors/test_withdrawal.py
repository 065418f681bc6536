"""Changes of a contract while its command is out: withdrawn by a fence, released again after a refusal only (F24)."""

from datetime import date

import pytest

from schemas.events import ContractChanged
from schemas.identity import withdrawn_fence
from schemas.outputs import SendTouch
from schemas.vocabulary import ContractStatus, Outcome, Reason, ReceiptReason, Verdict
from tests.builders import a_contract, a_customer, ms
from tests.unit.processors.story import Story, receipt_for, silence

OPENING_MS = ms("2026-06-23T01:00Z")
AFTER_MS = ms("2026-06-23T02:00Z")


def out() -> tuple[Story, SendTouch]:
    """A story whose t7 has just been released."""
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    return story.run(OPENING_MS, answer=silence), story.commands[-1]


def test_r45_a_repriced_touch_is_fenced_and_released_again_with_the_new_amount_after_its_refusal() -> None:
    story, command = out()
    story.take(a_contract(version=2, amount_minor=1_500_000))
    assert withdrawn_fence(command.touch_key) in story.standing
    story.run(AFTER_MS)
    assert story.commands[-1] is command, "nothing leaves before the channel has reported"
    story.take(receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED)).run(AFTER_MS)
    again = story.commands[-1]
    assert (again.revision, again.attempt, again.amount_minor, again.contract_version) == (1, 1, 1_500_000, 2)
    assert not story.is_fenced(again)
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)


def test_a_withdrawal_that_came_too_late_sends_nothing_more() -> None:
    story, command = out()
    story.take(a_contract(version=2, amount_minor=1_500_000), receipt_for(command)).run(AFTER_MS)
    assert story.commands[-1] is command
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)


def test_a_withdrawn_touch_without_a_receipt_is_unknown_and_a_late_refusal_frees_its_next_revision() -> None:
    story, command = out()
    story.take(a_contract(version=2, amount_minor=1_500_000)).run(ms("2026-06-24T00:00Z"), answer=silence)
    assert story.outcomes()["t7"] == (Verdict.UNKNOWN, Reason.NO_RECEIPT)
    story.take(receipt_for(command, Outcome.REFUSED, ReceiptReason.PAST_SEND_BY)).run(ms("2026-06-24T02:00Z"))
    assert (story.commands[-1].revision, story.commands[-1].decided_at_ms) == (1, ms("2026-06-24T01:00Z"))


def test_an_expiry_moved_away_while_the_command_is_out_waits_for_its_new_window() -> None:
    story, command = out()
    story.take(a_contract(version=2, expires_on=date(2026, 7, 31)))
    story.take(receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED)).run(ms("2026-08-20T00:00Z"))
    assert [(one.step, one.revision) for one in story.commands[-3:]] == [("t7", 1), ("t3", 0), ("t0", 0)]
    assert story.sent_at()["t7"] == ms("2026-07-24T01:00Z")


def test_an_expiry_moved_into_the_past_while_the_command_is_out_ends_it() -> None:
    story, command = out()
    story.take(a_contract(version=2, expires_on=date(2026, 6, 1))).wake(AFTER_MS)
    story.take(receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED)).run(ms("2026-06-24T00:00Z"))
    assert story.commands[-1] is command
    assert story.outcomes()["t7"] == (Verdict.SKIPPED, Reason.LATE)


def test_a_cancellation_withdraws_what_is_out_and_says_why() -> None:
    story, command = out()
    story.take(a_contract(version=2, status=ContractStatus.CANCELLED))
    assert story.is_fenced(command)
    assert story.outcomes()["t7"] == (Verdict.WITHDRAWN, Reason.CONTRACT_ENDED)
    story.take(receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED)).run(AFTER_MS)
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.CONTRACT_ENDED)


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(a_contract(version=2), id="nothing but the version changed"),
        pytest.param(a_contract(version=2, auto_renews=True), id="a fact that no message carries"),
        pytest.param(a_contract(version=0, amount_minor=5), id="an older version"),
        pytest.param(a_contract(contract_id="k-2", version=2, amount_minor=5), id="another contract"),
    ],
)
def test_what_does_not_change_the_message_withdraws_nothing(version: ContractChanged) -> None:
    story, command = out()
    story.take(version)
    assert not story.is_fenced(command)


def test_a_fence_is_lifted_a_week_after_the_last_send_by_it_concerns() -> None:
    story, command = out()
    story.take(a_contract(version=2, amount_minor=5), receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED))
    last_ms = command.send_by_at_ms + 7 * 24 * 3_600_000
    story.run(last_ms - 1)
    assert withdrawn_fence(command.touch_key) in story.standing
    story.run(last_ms)
    assert withdrawn_fence(command.touch_key) not in story.standing
