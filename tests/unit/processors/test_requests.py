"""Wishes of customers and operators: opt-out, consent, erasure, quarantine, stop, and compensation (R51, R55)."""

import pytest

from processors.given import Given, Quarantined, Rejudge, Released
from processors.policies import Policies
from processors.state import CustomerState, encode_state
from schemas.events import RequestMade
from schemas.identity import erased_fence, hold_fence, opted_out_fence
from schemas.vocabulary import Channel, Outcome, Reason, ReceiptReason, RequestKind, Verdict
from tests.builders import CUSTOMER, a_contract, a_customer, a_payment, a_request, ms
from tests.unit.processors.story import POLICIES, Story, receipt_for, silence

OPENING_MS = ms("2026-06-23T01:00Z")
NOON_MS = ms("2026-06-23T04:00Z")
END_MS = ms("2026-07-20T00:00Z")
UNSUBSCRIBED = (Verdict.SUPPRESSED, Reason.UNSUBSCRIBED)


def known(story: Story) -> CustomerState:
    assert story.state is not None
    return story.state


def before_t7() -> Story:
    return Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))


@pytest.mark.parametrize(
    ("kind", "channel", "fence", "reason"),
    [
        (RequestKind.OPTED_OUT, Channel.UNSPECIFIED, opted_out_fence(CUSTOMER), Reason.UNSUBSCRIBED),
        (RequestKind.OPTED_OUT, Channel.EMAIL, opted_out_fence(CUSTOMER, "email"), Reason.UNSUBSCRIBED),
        (RequestKind.CONSENT_WITHDRAWN, Channel.EMAIL, opted_out_fence(CUSTOMER, "email"), Reason.NO_CONSENT),
    ],
)
def test_r55_a_refusal_by_the_customer_stops_and_fences(
    kind: RequestKind, channel: Channel, fence: str, reason: Reason
) -> None:
    story = before_t7().take(a_request(kind=kind, channel=channel))
    assert list(story.standing) == [fence]
    story.run(END_MS)
    assert {story.outcomes()[step] for step in ("t7", "t3", "t0")} == {(Verdict.SUPPRESSED, reason)}


def test_an_opt_out_of_another_channel_changes_nothing_here() -> None:
    story = before_t7().take(a_request(channel=Channel.SMS)).run(END_MS)
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)


def test_an_opt_in_lifts_its_own_scope_and_the_open_window_is_served() -> None:
    story = before_t7().take(a_request(occurred_at_ms=10)).run(NOON_MS)
    assert story.outcomes()["t7"] == UNSUBSCRIBED
    story.take(a_request(kind=RequestKind.OPTED_IN, channel=Channel.EMAIL, occurred_at_ms=20))
    assert opted_out_fence(CUSTOMER) in story.standing, "an opt-in for e-mail does not undo an opt-out from all"
    story.take(a_request(kind=RequestKind.OPTED_IN, occurred_at_ms=20)).run(NOON_MS)
    assert story.standing == {}
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)


def test_the_newest_wish_wins_and_of_two_at_one_instant_the_safer() -> None:
    opted_out, opted_in = a_request(occurred_at_ms=10), a_request(kind=RequestKind.OPTED_IN, occurred_at_ms=10)
    assert Story(opted_in, opted_out).standing
    assert Story(opted_out, opted_in).standing
    assert not Story(a_request(kind=RequestKind.OPTED_IN, occurred_at_ms=11), opted_out).standing


def test_r51_an_erased_customer_leaves_a_stub_and_hears_nothing() -> None:
    story = before_t7().take(a_request(kind=RequestKind.ERASURE))
    assert list(story.standing) == [erased_fence(CUSTOMER)]
    assert {story.outcomes()[step] for step in ("t7", "t3", "t0")} == {(Verdict.SUPPRESSED, Reason.ERASED)}
    assert (known(story).terms, known(story).customer, story.alarm_at_ms) == ((), None, None)
    told = len(story.decisions)
    story.take(a_contract(version=2), a_customer(version=2), a_payment(), a_request(kind=RequestKind.OPTED_IN))
    assert (known(story).terms, len(story.decisions)) == ((), told)
    assert b"Atlas" not in encode_state(known(story))


def test_two_erasures_are_one_and_keep_the_later_instant() -> None:
    earlier, later = (a_request(kind=RequestKind.ERASURE, occurred_at_ms=at_ms) for at_ms in (5, 6))
    assert Story(a_contract(), earlier, later).state == Story(a_contract(), later, earlier).state


def test_a_contract_that_follows_an_erasure_is_decided_once() -> None:
    story = Story(a_request(kind=RequestKind.ERASURE), a_contract(), a_contract(), a_contract(version=2))
    assert len(story.decisions) == 5
    assert set(story.outcomes().values()) == {(Verdict.SUPPRESSED, Reason.ERASED)}


def test_an_erasure_before_the_first_policy_leaves_later_copies_to_be_decided() -> None:
    story = Story(a_contract(), a_request(kind=RequestKind.ERASURE), policies=Policies())
    assert story.decisions == []
    story.policies = POLICIES
    story.take(Rejudge(), a_contract(version=2), a_contract(version=2))
    assert len(story.decisions) == 5
    assert set(story.outcomes().values()) == {(Verdict.SUPPRESSED, Reason.ERASED)}
    assert known(story).terms == ()


def test_c7_an_erasure_while_the_command_is_out_waits_for_its_report_and_then_forgets() -> None:
    story = before_t7().run(OPENING_MS, answer=silence)
    command = story.commands[-1]
    story.take(a_request(kind=RequestKind.ERASURE))
    assert story.is_fenced(command)
    assert known(story).outstanding == 1
    story.take(receipt_for(command, Outcome.REFUSED, ReceiptReason.FENCED))
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.ERASED)
    assert known(story).terms == ()


def test_a_quarantined_customer_is_held_until_the_release_and_served_if_there_is_time() -> None:
    story = before_t7().take(Quarantined(cause="invalid"))
    assert list(story.standing) == [hold_fence(CUSTOMER)]
    story.run(NOON_MS)
    assert story.outcomes()["t7"] == (Verdict.HELD, Reason.QUARANTINED)
    story.take(Released()).run(NOON_MS)
    assert story.standing == {}
    assert story.outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)


def test_a_customer_whose_judging_raises_even_while_held_is_woken_no_more() -> None:
    story, raised = before_t7(), Quarantined(cause="step_failed")
    alarms = [story.take(given).alarm_at_ms for given in (raised, raised, Released())]
    assert alarms == [OPENING_MS, None, OPENING_MS]


def test_p17_a_stopped_touch_is_held_looked_at_again_and_served_after_the_start() -> None:
    story = before_t7()
    story.policies = POLICIES.stopped(Channel.UNSPECIFIED)
    story.take(Rejudge()).run(NOON_MS)
    assert story.told("t7") == [("t7", Verdict.HELD, Reason.STOPPED)], "recorded once, however often looked at"
    assert story.alarm_at_ms == NOON_MS + 15 * 60_000
    story.policies = POLICIES
    story.take(Rejudge()).run(NOON_MS)
    assert story.sent_at()["t7"] == NOON_MS


def test_p21_a_stop_through_the_window_expires_it_and_the_start_repeats_nothing() -> None:
    story = before_t7()
    story.policies = POLICIES.stopped(Channel.EMAIL)
    story.take(Rejudge()).run(ms("2026-06-26T00:00Z"))
    assert story.outcomes()["t7"] == (Verdict.EXPIRED, Reason.STOPPED)
    story.policies = POLICIES.stopped(Channel.EMAIL).started(Channel.EMAIL)
    story.take(Rejudge()).run(END_MS)
    assert [command.step for command in story.commands] == ["t90", "t30", "t3", "t0"]


def test_a_stop_of_another_channel_changes_nothing() -> None:
    story = before_t7()
    story.policies = POLICIES.stopped(Channel.SMS)
    assert story.take(Rejudge()).run(NOON_MS).sent_at()["t7"] == OPENING_MS


def given_up() -> Story:
    story = before_t7().run(OPENING_MS, answer=silence)
    refusal = receipt_for(story.commands[-1], Outcome.REFUSED, ReceiptReason.NOT_ON_ALLOW_LIST)
    return story.take(refusal)


def compensation(at_ms: int, **changes: object) -> RequestMade:
    return a_request(**{"kind": RequestKind.COMPENSATION, "occurred_at_ms": at_ms, "operator": "o-1", **changes})


def test_r75_a_dead_letter_comes_back_as_the_next_attempt_and_a_second_request_sends_nothing() -> None:
    story = given_up()
    lost = story.commands[-1]
    story.take(compensation(NOON_MS))
    assert story.commands[-1] is lost, "a request releases nothing by itself"
    story.run(NOON_MS)
    assert story.told("t7")[-3:] == [
        ("t7", Verdict.REOPENED, Reason.OPERATOR_REQUEST),
        ("t7", Verdict.RELEASED, Reason.DUE),
        ("t7", Verdict.SENT, Reason.ACCEPTED),
    ]
    assert (story.commands[-1].touch_key, story.commands[-1].attempt) == (lost.touch_key, 2)
    count = len(story.commands)
    story.take(compensation(NOON_MS + 1), compensation(NOON_MS + 2, touch_key=lost.touch_key))
    story.run(NOON_MS + 60_000)
    assert len(story.commands) == count
    assert story.told("t7")[-1] == ("t7", Verdict.DECLINED, Reason.ALREADY_SENT)


@pytest.mark.parametrize(
    ("meanwhile", "at", "reason"),
    [
        pytest.param(a_payment(), NOON_MS, Reason.PAID, id="paid"),
        pytest.param(a_request(occurred_at_ms=5), NOON_MS, Reason.UNSUBSCRIBED, id="unsubscribed"),
        pytest.param(a_customer(), ms("2026-06-26T02:00Z"), Reason.WINDOW_CLOSED, id="window closed"),
    ],
)
def test_compensation_is_declined_with_its_reason(meanwhile: Given, at: int, reason: Reason) -> None:
    story = given_up().take(meanwhile)
    story.run(at, answer=silence).take(compensation(at)).run(at)
    assert ("t7", Verdict.DECLINED, reason) in story.told("t7")
    assert story.outcomes()["t7"] == (Verdict.DEAD_LETTERED, Reason.PERMANENT_FAILURE)


def test_an_expired_touch_whose_window_is_closed_is_declined_and_an_unknown_one_is_not_guessed_at() -> None:
    story = before_t7().run(OPENING_MS, answer=silence).run(ms("2026-06-24T00:00Z"), answer=silence)
    story.take(compensation(NOON_MS)).run(ms("2026-06-24T02:00Z"), answer=silence)
    assert story.told("t7")[-1] == ("t7", Verdict.DECLINED, Reason.NO_RECEIPT)


def test_s02_a_request_for_compensation_without_an_operator_has_no_effect() -> None:
    story = given_up()
    before = story.state
    assert story.take(compensation(NOON_MS, operator="")).state is before


def test_a_touch_that_is_on_its_way_is_not_sent_beside_itself() -> None:
    story = before_t7().run(OPENING_MS, answer=silence)
    command = story.commands[-1]
    story.take(compensation(NOON_MS, touch_key=command.touch_key)).run(OPENING_MS + 1_000, answer=silence)
    assert story.told("t7")[-1] == ("t7", Verdict.DECLINED, Reason.DUPLICATE)
    assert story.take(receipt_for(command)).outcomes()["t7"] == (Verdict.SENT, Reason.ACCEPTED)


def test_the_same_request_again_is_answered_once() -> None:
    story = given_up().take(a_payment(), compensation(NOON_MS), compensation(NOON_MS))
    story.run(NOON_MS).take(compensation(NOON_MS)).run(NOON_MS + 1_000)
    assert [verdict for _, verdict, _ in story.told("t7")].count(Verdict.DECLINED) == 1


def test_the_partitions_own_requests_change_no_customer() -> None:
    story = before_t7()
    before = story.state
    story.take(a_request(kind=RequestKind.STOP), a_request(kind=RequestKind.QUARANTINE_RELEASE))
    assert story.state is before
