"""The course of one term: five touches, payments that stop them, refunds, renewals, ends and late starts."""

from collections.abc import Callable
from datetime import date

import pytest

from processors.given import Given, Quarantined, Rejudge
from schemas.events import ContractChanged, PaymentRecorded
from schemas.identity import PaymentId, TermId, paid_fence
from schemas.vocabulary import (
    Channel,
    ContractStatus,
    Outcome,
    PaymentKind,
    Reason,
    ReceiptReason,
    RequestKind,
    Verdict,
)
from tests.builders import CONTRACT, CUSTOMER, TERM, a_contract, a_customer, a_payment, a_request, ms
from tests.unit.processors.story import CLOSING, LONG_AGO_MS, Story, policies_of, receipt_for, silence

AFTER_MS = ms("2026-07-20T00:00Z")
SENT = (Verdict.SENT, Reason.ACCEPTED)
PAID = (Verdict.SUPPRESSED, Reason.PAID)
LATE = (Verdict.SKIPPED, Reason.LATE)


def test_r29_r35_r36_five_touches_leave_at_the_opening_of_their_windows() -> None:
    story = Story(a_customer(zone="America/New_York"), a_contract(expires_on=date(2026, 7, 1))).run(AFTER_MS)
    assert story.sent_at() == {
        "t90": ms("2026-04-02T13:00Z"),
        "t30": ms("2026-06-01T13:00Z"),
        "t7": ms("2026-06-24T13:00Z"),
        "t3": ms("2026-06-29T13:00Z"),  # a Sunday's touch
        "t0": ms("2026-07-01T13:00Z"),
    }
    assert set(story.outcomes().values()) == {SENT}


def test_r24_a_missing_or_unknown_zone_is_the_policys_default_and_the_decision_says_so() -> None:
    for zone in ("", "Mars/Olympus"):
        story = Story(a_customer(zone=zone), a_contract()).run(ms("2026-04-02T00:00Z"))
        assert story.sent_at() == {"t90": ms("2026-04-01T01:00Z")}
        assert story.decisions[0].zone == "Asia/Shanghai"
        assert story.decisions[0].inputs["zone_source"] == "policy_default"


def test_r41_a_payment_stops_every_later_touch_and_fences_the_term() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-02T00:00Z")).take(a_payment())
    assert list(story.standing) == [paid_fence(CUSTOMER, CONTRACT, TERM)]
    story.run(AFTER_MS)
    assert story.outcomes() == {"t90": SENT, "t30": SENT, "t7": PAID, "t3": PAID, "t0": PAID}
    assert story.standing == {}, "lifted a week after the term is over"


def test_a_payment_before_its_contract_is_kept() -> None:
    story = Story(a_payment(), a_customer(), a_contract()).run(AFTER_MS)
    assert set(story.outcomes().values()) == {PAID}


def test_a_payment_raises_a_fence_once_its_contract_is_known_for_only_then_is_there_a_day_to_lift_it() -> None:
    story = Story(a_customer(), a_payment())
    assert story.standing == {}
    story.take(a_contract())
    assert list(story.standing) == [paid_fence(CUSTOMER, CONTRACT, TERM)]
    story.run(AFTER_MS)
    assert story.standing == {}
    assert story.commands == []


def test_a_payment_settles_its_own_term_only() -> None:
    other = a_contract(contract_id="k-2", term_id="t-2", expires_on=date(2026, 9, 30))
    story = Story(a_customer(), a_contract(), other, a_payment()).run(ms("2026-11-01T00:00Z"))
    assert {command.contract_id for command in story.commands} == {"k-2"}


def test_a_payment_for_one_term_leaves_the_other_terms_of_the_contract_alone() -> None:
    later = a_contract(term_id=TermId("t-2"), starts_on=date(2026, 7, 1), expires_on=date(2026, 9, 30))
    story = Story(a_customer(), a_contract(), later, a_payment(term_id=TermId("t-2"))).run(ms("2026-11-01T00:00Z"))
    assert {command.term_id for command in story.commands} == {TERM}


@pytest.mark.parametrize(
    ("payments", "is_paid"),
    [
        pytest.param([(1, PaymentKind.PARTIAL, 600_000)], False, id="a part"),
        pytest.param([(1, PaymentKind.PARTIAL, 600_000), (2, PaymentKind.PARTIAL, 600_000)], True, id="all parts"),
        pytest.param([(1, PaymentKind.PARTIAL, 600_000), (2, PaymentKind.REFUNDED, 600_000)], False, id="one back"),
        pytest.param([(1, PaymentKind.FAILED, 1_200_000)], False, id="failed"),
        pytest.param([(1, PaymentKind.PAID, 1)], True, id="billing says paid"),
    ],
)
def test_a_term_is_settled_by_one_payment_in_full_or_by_its_parts(
    payments: list[tuple[int, PaymentKind, int]], *, is_paid: bool
) -> None:
    records = [
        a_payment(payment_id=PaymentId(f"p-{number}"), kind=kind, amount_minor=amount)
        for number, kind, amount in payments
    ]
    story = Story(a_customer(), a_contract(), *records).run(AFTER_MS)
    assert (story.commands == []) is is_paid


def test_parts_in_another_currency_do_not_add_up() -> None:
    story = Story(a_customer(), a_contract(), a_payment(kind=PaymentKind.PARTIAL, currency="USD")).run(AFTER_MS)
    assert len(story.commands) == 5


@pytest.mark.parametrize("kind", [PaymentKind.REFUNDED, PaymentKind.CHARGED_BACK])
def test_f21_a_reversed_payment_opens_the_term_again_and_nothing_is_sent_twice(kind: PaymentKind) -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-02T00:00Z"))
    story.take(a_payment()).run(ms("2026-06-23T12:00Z"))  # t7 opened in between, and was not sent
    assert story.outcomes()["t7"] == PAID
    story.take(a_payment(version=2, kind=kind)).run(AFTER_MS)
    assert [command.step for command in story.commands] == ["t90", "t30", "t7", "t3", "t0"]
    assert story.outcomes()["t7"] == SENT


def test_a_refund_that_overtakes_its_payment_wins_by_version() -> None:
    story = Story(a_customer(), a_contract(), a_payment(version=2, kind=PaymentKind.REFUNDED), a_payment(version=1))
    assert len(story.run(AFTER_MS).commands) == 5


def test_no_late_version_of_a_contract_reopens_a_settled_term() -> None:
    story = Story(a_customer(), a_contract(version=3), a_payment()).run(ms("2026-06-20T00:00Z"))
    before = story.state
    story.take(a_contract(version=2, expires_on=date(2027, 6, 30)))
    assert story.state is before
    assert story.run(AFTER_MS).commands == []


def test_a_renewal_starts_the_next_term() -> None:
    renewed = a_contract(term_id=TermId("t-2"), version=1, starts_on=date(2026, 7, 1), expires_on=date(2027, 6, 30))
    story = Story(a_customer(), a_contract()).run(ms("2026-06-10T00:00Z"))
    story.take(a_payment(), renewed).run(ms("2027-07-20T00:00Z"))
    assert [(one.term_id, one.step) for one in story.commands[2:]] == [
        ("t-2", step) for step in ("t90", "t30", "t7", "t3", "t0")
    ]


def test_a_term_without_an_id_is_named_by_its_start() -> None:
    story = Story(a_customer(), a_contract(term_id="")).take(a_payment(term_id=TermId("2025-07-01")))
    assert story.run(AFTER_MS).commands == []


def test_of_several_causes_the_most_sovereign_is_the_reason() -> None:
    causes: list[tuple[Given, Reason]] = [
        (a_contract(version=2, status=ContractStatus.CANCELLED), Reason.CONTRACT_ENDED),
        (a_payment(), Reason.PAID),
        (a_request(kind=RequestKind.CONSENT_WITHDRAWN), Reason.NO_CONSENT),
        (a_request(kind=RequestKind.OPTED_OUT), Reason.UNSUBSCRIBED),
        (Quarantined(cause="invalid"), Reason.QUARANTINED),
    ]
    for known in range(1, len(causes) + 1):
        story = Story(a_customer(), a_contract(), *(given for given, _ in causes[:known]))
        story.wake(ms("2026-06-23T01:00Z"))
        assert story.outcomes()["t7"][1] is causes[known - 1][1]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ContractStatus.CANCELLED, Reason.CONTRACT_ENDED),
        (ContractStatus.SUPERSEDED, Reason.CONTRACT_SUPERSEDED),
        (ContractStatus.TRANSFERRED, Reason.CONTRACT_TRANSFERRED),
    ],
)
def test_an_ended_contract_says_why_nothing_follows(status: ContractStatus, reason: Reason) -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-02T00:00Z"))
    story.take(a_contract(version=2, status=status)).run(AFTER_MS)
    assert {story.outcomes()[step] for step in ("t7", "t3", "t0")} == {(Verdict.SUPPRESSED, reason)}
    assert len(story.commands) == 2


def test_f24_renewed_then_cancelled_and_active_again_goes_on() -> None:
    story = Story(a_customer(), a_contract(), a_contract(version=2, status=ContractStatus.CANCELLED))
    story.run(ms("2026-06-10T00:00Z")).take(a_contract(version=3)).run(AFTER_MS)
    assert [command.step for command in story.commands] == ["t7", "t3", "t0"]


def test_p10_a_late_start_sends_the_open_step_only_and_says_so() -> None:
    story = Story(a_customer(), a_contract(), now_ms=ms("2026-06-23T03:00Z"))
    story.run(ms("2026-06-23T04:00Z"))
    assert story.outcomes() == {"t90": LATE, "t30": LATE, "t7": SENT}
    assert story.sent_at() == {"t7": ms("2026-06-23T03:00Z")}


def test_p13_p16_a_window_that_closed_while_nobody_was_there_expires() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-03-20T00:00Z"))
    story.wake(ms("2026-06-23T15:00Z"))  # off since March, back at 23:00 local in t7's window
    assert story.outcomes()["t90"] == (Verdict.EXPIRED, Reason.WINDOW_CLOSED)
    assert story.outcomes()["t30"] == (Verdict.EXPIRED, Reason.WINDOW_CLOSED)
    assert story.outcomes()["t7"] == (Verdict.MOVED, Reason.QUIET_HOURS)
    assert story.alarm_at_ms == ms("2026-06-24T01:00Z")
    story.run(AFTER_MS)
    assert [command.step for command in story.commands] == ["t7", "t3", "t0"]


@pytest.mark.parametrize(
    ("published", "outcome"),
    [
        pytest.param("2026-06-16T00:00Z", SENT, id="its window is open: nobody is skipped"),
        pytest.param("2026-06-26T00:00Z", LATE, id="its window has closed: late, not silently missed"),
    ],
)
def test_p14_a_rule_that_gains_a_step_decides_it_for_everybody(published: str, outcome: tuple[Verdict, Reason]) -> None:
    story = Story(a_customer(), a_contract()).run(ms(published))
    t7 = "  - { name: t7, days: 7"
    text = CLOSING.replace(t7, "  - { name: t15, days: 15, channel: email, template: renewal }\n" + t7)
    story.policies = policies_of(text, number=2)
    story.take(Rejudge()).run(AFTER_MS)
    assert story.outcomes()["t15"] == outcome


T30 = "  - { name: t30, days: 30, channel: email, template: renewal }\n"
WITHOUT_T30 = policies_of(CLOSING.replace(T30, ""), number=2)
T30_OPENS_MS = ms("2026-06-01T01:00Z")


def moved() -> Story:
    """Nobody was there at t30's opening, and now it is night."""
    story = Story(a_customer(), a_contract()).run(ms("2026-05-20T00:00Z"))
    story.wake(ms("2026-06-01T14:00Z"))
    return story


def withdrawn() -> Story:
    """The only t30 was repriced while it was out, and the channel reported that it did not send it."""
    story = Story(a_customer(), a_contract()).run(ms("2026-05-20T00:00Z")).run(T30_OPENS_MS, answer=silence)
    story.take(a_contract(version=2, amount_minor=5))
    return story.take(receipt_for(story.commands[-1], Outcome.REFUSED, ReceiptReason.FENCED))


def held() -> Story:
    """A customer in quarantine when t30 opens."""
    story = Story(a_customer(), a_contract()).run(ms("2026-05-20T00:00Z")).take(Quarantined(cause="invalid"))
    return story.run(T30_OPENS_MS)


def retried() -> Story:
    """The provider was busy at t30's opening."""
    story = Story(a_customer(), a_contract()).run(ms("2026-05-20T00:00Z"))
    return story.run(T30_OPENS_MS, lambda command: receipt_for(command, Outcome.TEMPORARY_FAILURE))


@pytest.mark.parametrize("waiting", [moved, withdrawn, held, retried])
def test_a_step_removed_while_its_touch_waits_ends_with_a_final_decision(waiting: Callable[[], Story]) -> None:
    story = waiting()
    assert story.outcomes()["t30"] not in {SENT, LATE}
    sent = len(story.commands)
    story.policies = WITHOUT_T30
    story.take(Rejudge()).wake(story.now_ms + 60_000)
    assert story.outcomes()["t30"] == LATE
    story.take(Rejudge()).run(ms("2026-06-20T00:00Z"))
    assert story.outcomes()["t30"] == LATE
    assert len(story.commands) == sent


def test_a_step_that_a_corrected_policy_brings_back_in_time_leaves_after_all() -> None:
    story = moved()
    story.policies = WITHOUT_T30
    story.take(Rejudge()).wake(story.now_ms + 60_000)
    story.policies = policies_of(CLOSING, number=3)
    story.take(Rejudge()).run(ms("2026-06-20T00:00Z"))
    assert story.outcomes()["t30"] == SENT


def test_a_step_that_a_corrected_policy_brings_back_too_late_stays_late() -> None:
    story = moved()
    story.policies = WITHOUT_T30
    story.take(Rejudge()).run(ms("2026-06-20T00:00Z"))
    story.policies = policies_of(CLOSING, number=3)
    told = len(story.told("t30"))
    story.take(Rejudge()).run(AFTER_MS)
    assert len(story.told("t30")) == told


def test_what_was_moved_to_an_opening_follows_when_the_opening_moves() -> None:
    story = moved()
    assert story.alarm_at_ms == ms("2026-06-02T01:00Z")
    story.policies = policies_of(CLOSING.replace('"09:00"', '"07:00"'), number=2)
    story.take(Rejudge()).wake(story.now_ms + 60_000)
    assert story.alarm_at_ms == ms("2026-06-01T23:00Z")
    assert story.told("t30") == [("t30", Verdict.MOVED, Reason.QUIET_HOURS)], "nothing new is told"
    story.run(ms("2026-06-20T00:00Z"))
    assert story.sent_at()["t30"] == ms("2026-06-01T23:00Z")


def test_nothing_is_judged_before_a_policy_is_in_force() -> None:
    story = Story(a_customer(), a_contract())
    story.policies = type(story.policies)()
    assert story.take(Rejudge()).alarm_at_ms is None
    assert story.wake(AFTER_MS).decisions == ()


def test_a_customer_without_an_address_is_a_task_for_somebody() -> None:
    story = Story(a_customer(reachable=()), a_contract()).run(ms("2026-04-02T00:00Z"))
    assert story.outcomes() == {"t90": (Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT)}
    assert [task.assignee for task in story.tasks] == ["m-1"]
    story.take(a_customer(version=2, reachable=(Channel.EMAIL,))).run(ms("2026-04-03T00:00Z"))
    assert story.outcomes() == {"t90": SENT}, "its window was still open"


def test_before_the_first_customer_record_the_channel_finds_out() -> None:
    assert Story(a_contract()).run(AFTER_MS).sent_at().keys() == {"t90", "t30", "t7", "t3", "t0"}


def test_a_term_that_is_over_shrinks_to_a_stub() -> None:
    story = Story(a_customer(), a_contract()).run(AFTER_MS)
    assert story.state is not None
    stub = story.state.terms[0]
    assert stub.is_retired
    assert stub.facts is not None
    assert stub.facts.product_name == ""
    assert story.alarm_at_ms is None


def test_a_corrected_end_date_is_the_same_term_and_repeats_no_step() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-24T00:00Z"))
    story.take(a_contract(version=2, expires_on=date(2026, 9, 30))).run(ms("2026-11-01T00:00Z"))
    assert [command.step for command in story.commands] == ["t90", "t30", "t7", "t3", "t0"]
    assert story.sent_at()["t0"] == ms("2026-09-30T01:00Z")


def test_an_end_date_moved_into_the_past_makes_the_rest_late() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-10T00:00Z"))
    story.take(a_contract(version=2, expires_on=date(2026, 6, 1))).run(AFTER_MS)
    assert {story.outcomes()[step] for step in ("t7", "t3", "t0")} == {LATE}


def test_a_wake_without_receipts_leaves_the_outcome_unknown() -> None:
    story = Story(a_customer(), a_contract()).run(AFTER_MS, answer=silence)
    assert set(story.outcomes().values()) == {(Verdict.UNKNOWN, Reason.NO_RECEIPT)}
    assert story.state is not None
    assert story.state.outstanding == 0


def test_the_watermark_before_the_first_tick_is_zero_and_the_first_tick_decides_what_is_late() -> None:
    story = Story(a_customer(), a_contract(), now_ms=0)
    assert story.alarm_at_ms == 0
    story.wake(LONG_AGO_MS)
    assert story.decisions == []
    assert story.alarm_at_ms == ms("2026-04-01T01:00Z")


def test_the_command_carries_every_fact_as_bound_at_release() -> None:
    contract: ContractChanged = a_contract(special_terms="two bonus modules", attributes={"usage": "2,167 calls"})
    story = Story(a_customer(), contract).run(ms("2026-04-02T00:00Z"))
    command = story.commands[0]
    for name in ("starts_on", "expires_on", "product_name", "product_edition", "amount_minor", "currency", "modules",
                 "seats", "discount_basis_points", "special_terms", "renewal_link"):  # fmt: skip
        assert getattr(command, name) == getattr(contract, name)
    assert command.facts == {"usage": "2,167 calls"}
    assert (command.contract_version, command.policy_number, command.locale, command.template) == (
        1, 1, "zh-CN", "renewal",
    )  # fmt: skip


def test_a_failed_payment_changes_nothing() -> None:
    failed: PaymentRecorded = a_payment(kind=PaymentKind.FAILED, failure_cause="card expired")
    assert len(Story(a_customer(), a_contract(), failed).run(AFTER_MS).commands) == 5


@pytest.mark.parametrize(("day", "sent"), [("9999-12-31", 0), ("0001-01-01", 0), ("2027-02-28", 5)])
def test_a_day_beyond_every_calendar_harms_nobody(day: str, sent: int) -> None:
    contract = a_contract(starts_on=date(1, 1, 1), expires_on=date.fromisoformat(day))
    story = Story(a_customer(), contract).run(ms("2027-06-01T00:00Z"))
    assert len(story.commands) == sent


def test_a_step_that_only_the_old_date_had_closed_is_judged_again() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    story.wake(ms("2026-06-26T11:00Z"))
    assert story.outcomes()["t7"] == (Verdict.EXPIRED, Reason.WINDOW_CLOSED)
    story.take(a_contract(version=2, expires_on=date(2026, 9, 30))).run(ms("2026-11-01T00:00Z"))
    assert story.sent_at()["t7"] == ms("2026-09-23T01:00Z")
    assert story.outcomes()["t7"] == SENT


def test_an_alarm_that_is_due_keeps_saying_since_when() -> None:
    story = Story(a_customer(), a_contract(), now_ms=1_000)
    story.now_ms = 61_000
    story.take(a_contract(version=2, amount_minor=5), a_customer(version=2, zone="Europe/Paris"))
    assert story.alarm_at_ms == 1_000
