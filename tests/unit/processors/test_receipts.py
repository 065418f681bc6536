"""What a channel's report makes of a touch: sent, tried again, given up, or unknown (law 6)."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from schemas.events import ReceiptGiven
from schemas.identity import TouchKey, touch_key
from schemas.outputs import SendTouch
from schemas.vocabulary import Channel, Outcome, Reason, ReceiptReason, TaskKind, Verdict
from tests.builders import CONTRACT, TERM, a_contract, a_customer, a_payment, a_receipt, ms
from tests.unit.processors.story import Story, receipt_for, silence

OPENING_MS = ms("2026-06-23T01:00Z")
MINUTE_MS = 60_000


def out() -> tuple[Story, SendTouch]:
    """A story whose t7 has just been released, on a Tuesday at 09:00 local."""
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    return story.run(OPENING_MS, answer=silence), story.commands[-1]


def failing(outcome: Outcome, reason: ReceiptReason) -> Callable[[SendTouch], ReceiptGiven]:
    return lambda command: receipt_for(command, outcome, reason)


def test_an_accepted_touch_is_sent_and_delivered_says_more() -> None:
    story, command = out()
    story.take(receipt_for(command), receipt_for(command, Outcome.DELIVERED), receipt_for(command))
    assert story.told("t7")[-2:] == [
        ("t7", Verdict.SENT, Reason.ACCEPTED),
        ("t7", Verdict.SENT, Reason.DELIVERED),
    ]


def test_p30_a_delivery_reported_before_its_acceptance_counts() -> None:
    story, command = out()
    story.take(receipt_for(command, Outcome.DELIVERED), receipt_for(command))
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.DELIVERED)


def test_a_temporary_failure_is_tried_after_5_minutes_30_minutes_and_2_hours_then_given_up() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    told = len(story.commands)
    story.run(ms("2026-06-25T00:00Z"), answer=failing(Outcome.TEMPORARY_FAILURE, ReceiptReason.PROVIDER_BUSY))
    tries = story.commands[told:]
    assert [command.attempt for command in tries] == [1, 2, 3, 4]
    assert len({command.touch_key for command in tries}) == 1
    waits = [later.decided_at_ms - tries[0].decided_at_ms for later in tries[1:]]
    assert waits == [5 * MINUTE_MS, 35 * MINUTE_MS, 155 * MINUTE_MS]
    assert story.outcomes()["t7"] == (Verdict.DEAD_LETTERED, Reason.RETRIES_EXHAUSTED)
    assert [letter.touch_key for letter in story.dead_letters] == [tries[0].touch_key]


def test_a_provider_that_names_a_longer_wait_is_obeyed() -> None:
    story, command = out()
    story.take(replace(receipt_for(command, Outcome.TEMPORARY_FAILURE), retry_after_ms=20 * MINUTE_MS))
    assert story.alarm_at_ms == OPENING_MS + 20 * MINUTE_MS


def test_a_provider_that_names_a_wait_beyond_every_calendar_ends_the_tries() -> None:
    story, command = out()
    story.take(replace(receipt_for(command, Outcome.TEMPORARY_FAILURE), retry_after_ms=1 << 62))
    assert story.outcomes()["t7"] == (Verdict.DEAD_LETTERED, Reason.RETRIES_EXHAUSTED)


def test_a_retry_that_would_leave_send_hours_waits_for_the_next_opening() -> None:
    story, command = out()
    story.take(replace(receipt_for(command, Outcome.TEMPORARY_FAILURE), retry_after_ms=10 * 60 * MINUTE_MS))
    assert story.alarm_at_ms == ms("2026-06-24T01:00Z")


def test_a_retry_that_would_leave_the_window_is_given_up() -> None:
    story, command = out()
    story.take(replace(receipt_for(command, Outcome.TEMPORARY_FAILURE), retry_after_ms=72 * 60 * MINUTE_MS))
    assert story.outcomes()["t7"] == (Verdict.DEAD_LETTERED, Reason.RETRIES_EXHAUSTED)


def test_p22_an_attempt_is_counted_once_however_often_its_report_arrives() -> None:
    story, command = out()
    report = receipt_for(command, Outcome.TEMPORARY_FAILURE)
    story.take(report)
    before = story.state
    story.take(report, report)
    assert story.state is before


def test_p23_a_permanent_failure_gives_up_that_touch_and_no_other() -> None:
    story, command = out()
    story.take(receipt_for(command, Outcome.PERMANENT_FAILURE, ReceiptReason.PROVIDER_REFUSED))
    story.run(ms("2026-07-20T00:00Z"))
    assert story.outcomes()["t7"] == (Verdict.DEAD_LETTERED, Reason.PERMANENT_FAILURE)
    assert story.outcomes()["t3"] == (Verdict.SENT, Reason.ACCEPTED)


@pytest.mark.parametrize("reason", [ReceiptReason.NO_CONTACT, ReceiptReason.CONTACT_INVALID])
def test_p33_a_missing_address_opens_a_completion_task_at_the_next_tick(reason: ReceiptReason) -> None:
    story, command = out()
    story.take(receipt_for(command, Outcome.REFUSED, reason))
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT)
    assert story.tasks == [], "tasks leave under ticks only"
    story.wake(OPENING_MS + 1_000)
    assert [task.kind for task in story.tasks] == [TaskKind.CONTACT_COMPLETION]
    story.run(ms("2026-06-24T00:00Z"))
    assert len(story.tasks) == 1


@pytest.mark.parametrize("reason", [ReceiptReason.NOT_ON_ALLOW_LIST, ReceiptReason.RENDERING_REFUSED])
def test_a_refusal_that_waiting_does_not_mend_is_given_up(reason: ReceiptReason) -> None:
    story, command = out()
    story.take(receipt_for(command, Outcome.REFUSED, reason))
    assert story.outcomes()["t7"] == (Verdict.DEAD_LETTERED, Reason.PERMANENT_FAILURE)


def test_no_receipt_by_send_by_and_the_calls_timeout_is_unknown() -> None:
    story, command = out()
    assert story.alarm_at_ms == command.send_by_at_ms + MINUTE_MS
    story.run(command.send_by_at_ms + MINUTE_MS)
    assert story.outcomes()["t7"] == (Verdict.UNKNOWN, Reason.NO_RECEIPT)


@pytest.mark.parametrize(
    ("outcome", "reason", "last"),
    [
        (Outcome.ACCEPTED, ReceiptReason.ACCEPTED, (Verdict.SENT, Reason.ACCEPTED)),
        (Outcome.REFUSED, ReceiptReason.PAST_SEND_BY, (Verdict.RETRIED, Reason.NOT_SENT)),
        (Outcome.UNKNOWN, ReceiptReason.IN_DOUBT, (Verdict.UNKNOWN, Reason.IN_DOUBT)),
    ],
)
def test_a_later_receipt_replaces_unknown(
    outcome: Outcome, reason: ReceiptReason, last: tuple[Verdict, Reason]
) -> None:
    story, command = out()
    story.run(command.send_by_at_ms + MINUTE_MS).take(receipt_for(command, outcome, reason))
    assert story.outcomes()["t7"] == last


def test_a_touch_in_doubt_is_not_tried_again() -> None:
    story, command = out()
    story.take(receipt_for(command, Outcome.UNKNOWN, ReceiptReason.IN_DOUBT)).run(ms("2026-06-26T00:00Z"))
    assert story.commands[-1] is command


def test_a_channel_that_takes_back_its_refusal_stops_the_next_attempt() -> None:
    story, first = out()
    story.take(receipt_for(first, Outcome.TEMPORARY_FAILURE)).run(OPENING_MS + 5 * MINUTE_MS, answer=silence)
    second = story.commands[-1]
    assert second.attempt == 2
    story.take(receipt_for(first))
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)
    assert story.is_fenced(second)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"touch_key": TouchKey("k-1|t-1|t7|email|9")}, id="another key"),
        pytest.param({"attempt": 2}, id="an attempt that was never made"),
        pytest.param({"attempt": 0}, id="no attempt"),
        pytest.param({"revision": 1}, id="a revision that was never released"),
        pytest.param({"channel": Channel.SMS}, id="another channel"),
        pytest.param({"step": "t99"}, id="an unknown step"),
        pytest.param({"contract_id": "k-9"}, id="an unknown contract"),
    ],
)
def test_s02_a_receipt_for_something_we_never_sent_has_no_effect(forged: dict[str, object]) -> None:
    story, command = out()
    before = story.state
    story.take(replace(receipt_for(command), **forged))
    assert story.state is before


def test_p26_f21_a_payment_while_the_command_waits_ends_it_as_paid() -> None:
    story, command = out()
    story.take(a_payment())
    assert story.is_fenced(command)
    story.take(receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED)).wake(OPENING_MS + 1_000)
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.PAID)


def test_f21_a_reversal_after_the_fence_refused_sends_the_same_touch_as_its_next_attempt() -> None:
    story, command = out()
    story.take(a_payment(), receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED))
    story.take(a_payment(version=2, kind="refunded")).run(OPENING_MS + MINUTE_MS)
    again = story.commands[-1]
    assert (again.touch_key, again.attempt) == (command.touch_key, 2)
    assert not story.is_fenced(again)


@pytest.mark.parametrize("outcome", [Outcome.TEMPORARY_FAILURE, Outcome.PERMANENT_FAILURE, Outcome.UNKNOWN])
def test_a_report_on_an_earlier_attempt_ends_no_later_one(outcome: Outcome) -> None:
    story, first = out()
    story.take(receipt_for(first, Outcome.TEMPORARY_FAILURE)).run(OPENING_MS + 5 * MINUTE_MS, answer=silence)
    assert story.commands[-1].attempt == 2
    state = story.state
    story.take(receipt_for(first, outcome))
    assert story.state is state


def test_a_command_leaves_its_channel_before_the_send_hours_end() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"), answer=silence)
    command = story.wake(ms("2026-06-23T09:30Z")).commands[-1]  # 17:30 in Shanghai
    assert command.send_by_at_ms == ms("2026-06-23T10:00Z")


def test_s02_a_forged_report_on_a_revision_that_never_was_changes_nothing() -> None:
    story = Story(a_customer(reachable=()), a_contract())
    story.wake(OPENING_MS)  # judged, never released
    state = story.state
    key = touch_key(CONTRACT, TERM, "t7", "email", -1)
    story.take(a_receipt(step="t7", revision=-1, touch_key=key))
    assert story.state is state


def test_refusals_without_end_come_to_an_end() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-03-31T00:00Z"))
    story.run(ms("2026-04-08T12:00Z"), answer=failing(Outcome.REFUSED, ReceiptReason.INTENT_TOO_OLD))
    assert story.outcomes()["t90"] == (Verdict.DEAD_LETTERED, Reason.RETRIES_EXHAUSTED)
    assert len(story.commands) == 12


def test_the_attempts_out_are_counted_until_any_receipt() -> None:
    story, command = out()
    assert story.state is not None
    assert story.state.outstanding == 1
    story.take(receipt_for(command, Outcome.UNKNOWN, ReceiptReason.IN_DOUBT))
    assert story.state.outstanding == 0


def lacking(reason: ReceiptReason = ReceiptReason.NO_CONTACT) -> tuple[Story, SendTouch]:
    """A story whose t7 found no address, so that somebody has a task."""
    story, command = out()
    story.take(receipt_for(command, Outcome.REFUSED, reason)).wake(OPENING_MS + MINUTE_MS)
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT)
    assert len(story.tasks) == 1
    return story, command


@pytest.mark.parametrize("reason", [ReceiptReason.NO_CONTACT, ReceiptReason.CONTACT_INVALID])
def test_a_completed_contact_inside_the_window_brings_the_touch_after_all(reason: ReceiptReason) -> None:
    story, command = lacking(reason)
    story.take(a_customer(version=2)).run(OPENING_MS + 60 * MINUTE_MS)
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)
    assert (story.commands[-1].touch_key, story.commands[-1].attempt) == (command.touch_key, 2)
    assert len(story.tasks) == 1


def test_a_completed_contact_after_the_window_changes_nothing() -> None:
    story, _ = lacking()
    story.run(command_closes_ms(story), answer=silence).take(a_customer(version=2)).wake(command_closes_ms(story) + 1)
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT)


def test_an_old_copy_of_a_customer_completes_no_contact() -> None:
    story, _ = lacking()
    story.take(a_customer(), a_customer(version=0)).run(OPENING_MS + 60 * MINUTE_MS)
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT)


def test_a_contact_completed_before_the_report_of_its_lack_counts_as_well() -> None:
    story, command = out()
    story.take(a_customer(version=2), receipt_for(command, Outcome.REFUSED, ReceiptReason.NO_CONTACT))
    story.run(OPENING_MS + 60 * MINUTE_MS)
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)
    assert story.tasks == []


def test_a_contact_that_is_still_none_is_a_task_again_and_no_loop() -> None:
    story, _ = lacking()
    story.take(a_customer(version=2))
    story.run(OPENING_MS + 60 * MINUTE_MS, answer=failing(Outcome.REFUSED, ReceiptReason.NO_CONTACT))
    assert story.commands[-1].attempt == 2
    assert len({task.task_id for task in story.tasks}) == 1


def command_closes_ms(story: Story) -> int:
    return story.commands[-1].closes_at_ms
