"""A good run passes, and each broken promise makes exactly its own check fire."""

from collections.abc import Callable

import msgspec
import pytest

from schemas import topics
from schemas.vocabulary import Outcome, Reason, ReceiptReason, RequestKind, Verdict
from tests.oracle.healing import TINY, Demands
from tests.oracle.judgement import Judgement, judge
from tests.oracle.outcomes import Ending
from tests.oracle.run import run_of
from tests.unit.oracle.run_builder import RunBuilder, without

OPENINGS = {
    "t90": "2026-06-12T01:00Z",
    "t30": "2026-08-11T01:00Z",
    "t7": "2026-09-03T01:00Z",
    "t3": "2026-09-07T01:00Z",
    "t0": "2026-09-10T01:00Z",
}


def begun(*, is_virtual: bool = True) -> RunBuilder:
    """One customer and one contract, known long before the first step."""
    return RunBuilder(is_virtual=is_virtual).start().customer().contract().tick("2026-06-01T00:00Z")


def sent(run: RunBuilder, *steps: str) -> RunBuilder:
    """Send these steps at their openings."""
    for step in steps:
        run.tick(OPENINGS[step]).send(step)
    return run


def verdict(run: RunBuilder) -> Judgement:
    """Judge without demands on size."""
    return judge(run_of(run.bundle()), TINY)


def test_a_good_run_passes_and_balances() -> None:
    judged = verdict(sent(begun(), "t90", "t30", "t7", "t3", "t0"))
    assert judged.is_passed, judged
    assert (judged.due, judged.balance[Ending.SENT], judged.imbalance) == (5, 5, 0)
    assert (judged.lateness.touches, judged.lateness.max) == (5, 0)


def test_a_good_run_on_the_real_clock_passes() -> None:
    assert verdict(sent(begun(is_virtual=False), "t90", "t30", "t7", "t3", "t0")).is_passed


def test_a_payment_in_time_is_a_justified_reason() -> None:
    run = sent(begun(), "t90", "t30").pay().tick("2026-08-20T00:00Z")
    for step in ("t7", "t3", "t0"):
        run.decide(step, Verdict.SUPPRESSED, Reason.PAID)
    judged = verdict(run.tick("2026-09-10T01:00Z"))
    assert judged.is_passed, judged.violations
    assert (judged.balance[Ending.SENT], judged.balance[Ending.SUPPRESSED]) == (2, 3)


def unaccounted() -> RunBuilder:
    run = begun().ask(RequestKind.OPTED_OUT).tick("2026-06-02T00:00Z")
    for step in ("t90", "t30", "t7", "t3"):
        run.decide(step, Verdict.SUPPRESSED, Reason.UNSUBSCRIBED)
    return run.tick(OPENINGS["t0"])  # nothing says what became of t0


def two_outcomes() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3").ask(RequestKind.OPTED_OUT).tick(OPENINGS["t0"])
    run.decide("t0", Verdict.SUPPRESSED, Reason.UNSUBSCRIBED)
    return run.decide("t0", Verdict.EXPIRED, Reason.UNSUBSCRIBED)


def invented() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3", "t0")
    return run.receive("t365")


def to_a_stranger() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick(OPENINGS["t0"]).command("t0")
    run.receive("t0", recipient="stranger@example.com").receipt("t0", Outcome.ACCEPTED)
    return run.decide("t0", Verdict.SENT, Reason.ACCEPTED)


def lost() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick(OPENINGS["t0"])
    return run.decide("t0", Verdict.SUPPRESSED, Reason.FREQUENCY_CAP)


def claimed_but_never_received() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick(OPENINGS["t0"]).command("t0")
    return run.receipt("t0", Outcome.ACCEPTED).decide("t0", Verdict.SENT, Reason.ACCEPTED)


def twice_without_a_crash() -> RunBuilder:
    return sent(begun(), "t90", "t30", "t7", "t3", "t0").receive("t0")


def twice_with_a_worker_crash() -> RunBuilder:
    return sent(begun(), "t90", "t30", "t7", "t3", "t0").crash("worker-1").receive("t0")


def commanded_twice() -> RunBuilder:
    return sent(begun(), "t90", "t30", "t7", "t3", "t0").command("t0").decide("t0", Verdict.SENT, Reason.ACCEPTED)


def an_hour_early() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick("2026-09-10T00:00Z").send("t0")
    return run.tick(OPENINGS["t0"])


def in_quiet_hours() -> RunBuilder:
    return sent(begun(), "t90").tick("2026-08-11T12:00Z").send("t30")


def under_a_covering_barrier() -> RunBuilder:
    return sent(begun(), "t90").tick(OPENINGS["t30"]).pay().tick("2026-08-12T01:00Z").send("t30")


def six_seconds_after_payment() -> RunBuilder:
    run = sent(begun(is_virtual=False), "t90").tick(OPENINGS["t30"]).command("t30").pay()
    run.wall_ms += 6_000
    run.receive("t30").receipt("t30", Outcome.ACCEPTED)
    return run.decide("t30", Verdict.SENT, Reason.ACCEPTED)


def under_a_late_heartbeat() -> RunBuilder:
    run = sent(begun(), "t90").tick(OPENINGS["t30"]).command("t30").pay().tick("2026-08-11T01:00:01Z")
    return run.receive("t30").receipt("t30", Outcome.ACCEPTED).decide("t30", Verdict.SENT, Reason.ACCEPTED)


def behind_a_blind_barrier() -> RunBuilder:
    return sent(begun(), "t90").pay().tick("2026-08-11T01:00Z", blind_to=topics.PAYMENT).send("t30")


def after_opting_out() -> RunBuilder:
    run = sent(begun(), "t90").tick(OPENINGS["t30"]).ask(RequestKind.OPTED_OUT)
    return run.tick("2026-08-12T01:00Z").send("t30")


def a_second_one_on_one_day() -> RunBuilder:
    run = RunBuilder().start().customer().contract().contract("k2").tick("2026-06-01T00:00Z")
    run.tick(OPENINGS["t90"]).send("t90").send("t90", "k2").pay().pay("k2").tick("2026-07-01T00:00Z")
    for contract_id in ("k1", "k2"):
        for step in ("t30", "t7", "t3", "t0"):
            run.decide(step, Verdict.SUPPRESSED, Reason.PAID, contract_id)
    return run.tick("2026-09-10T02:00Z")


def a_fourth_one_in_a_week() -> RunBuilder:
    run = RunBuilder().start().customer()
    for number in range(4):
        run.contract(f"k{number}")
    run.tick("2026-06-01T00:00Z")
    for number, day in enumerate(("12", "15", "16", "17")):
        run.tick(f"2026-06-{day}T01:00Z").send("t90", f"k{number}")
    for number in range(4):
        run.pay(f"k{number}")
    run.tick("2026-07-01T00:00Z")
    for number in range(4):
        for step in ("t30", "t7", "t3", "t0"):
            run.decide(step, Verdict.SUPPRESSED, Reason.PAID, f"k{number}")
    return run.tick("2026-09-10T02:00Z")


def out_of_order() -> RunBuilder:
    run = sent(begun(), "t90", "t30").tick(OPENINGS["t7"]).send("t3")
    return sent(run.tick("2026-09-04T01:00Z").send("t7"), "t0")


def with_another_amount() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick(OPENINGS["t0"]).command("t0")
    run.receive("t0", text="Dear Customer c1, Ledger ends on 2026-09-10: 11,000.00 CNY.")
    return run.receipt("t0", Outcome.ACCEPTED).decide("t0", Verdict.SENT, Reason.ACCEPTED)


def with_a_leftover() -> RunBuilder:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick(OPENINGS["t0"]).command("t0")
    run.receive("t0", text="Dear Customer c1, Ledger ends on 2026-09-10: 12,000.00 CNY. Discount: None")
    return run.receipt("t0", Outcome.ACCEPTED).decide("t0", Verdict.SENT, Reason.ACCEPTED)


def rest_paid(make: Callable[[], RunBuilder], *steps: str) -> Callable[[], RunBuilder]:
    """End a run by a payment that settles these steps, so that only its own fault remains."""

    def ended() -> RunBuilder:
        run = make().pay(payment_id="q").tick("2026-08-20T00:00Z")
        for step in steps:
            run.decide(step, Verdict.SUPPRESSED, Reason.PAID)
        return run.tick("2026-09-10T02:00Z")

    return ended


AFTER_T30 = ("t7", "t3", "t0")


@pytest.mark.parametrize(
    ("check", "make"),
    [
        pytest.param("C1", unaccounted, id="no outcome"),
        pytest.param("C1", two_outcomes, id="two outcomes"),
        pytest.param("C2", invented, id="invented"),
        pytest.param("C2", to_a_stranger, id="stranger"),
        pytest.param("C3", lost, id="unjustified reason"),
        pytest.param("C3", claimed_but_never_received, id="claimed only"),
        pytest.param("C4", twice_without_a_crash, id="twice"),
        pytest.param("C4", twice_with_a_worker_crash, id="a worker's crash excuses no channel"),
        pytest.param("C4", commanded_twice, id="two commands"),
        pytest.param("C5", rest_paid(in_quiet_hours, *AFTER_T30), id="quiet hours"),
        pytest.param("C6", rest_paid(under_a_covering_barrier, *AFTER_T30), id="barrier covered it"),
        pytest.param("C6", rest_paid(six_seconds_after_payment, *AFTER_T30), id="six seconds"),
        pytest.param("C6", rest_paid(under_a_late_heartbeat, *AFTER_T30), id="heartbeat covered it"),
        pytest.param("C6", rest_paid(behind_a_blind_barrier, *AFTER_T30), id="blind barrier"),
        pytest.param("C7", rest_paid(after_opting_out, *AFTER_T30), id="opted out"),
        pytest.param("C8", a_second_one_on_one_day, id="two a day"),
        pytest.param("C8", a_fourth_one_in_a_week, id="four a week"),
        pytest.param("C10", with_another_amount, id="amount"),
        pytest.param("C10", with_a_leftover, id="leftover"),
    ],
)
def test_each_broken_promise_makes_its_own_check_fire(check: str, make: Callable[[], RunBuilder]) -> None:
    judged = verdict(make())
    assert set(fired_of(judged)) == {check}, judged.violations


def fired_of(judged: Judgement) -> dict[str, int]:
    """The checks that found something."""
    return {check: count for check, count in judged.counts.items() if count}


@pytest.mark.parametrize(
    ("checks", "make"),
    [
        pytest.param({"C5"}, an_hour_early, id="an hour early"),
        pytest.param({"C5", "C9"}, out_of_order, id="a later step before an earlier one is early as well"),
    ],
)
def test_what_leaves_too_soon_is_found(checks: set[str], make: Callable[[], RunBuilder]) -> None:
    judged = verdict(make())
    assert checks <= set(fired_of(judged)), judged.violations


def test_a_crash_of_the_channel_excuses_a_touch_in_doubt_at_that_instant() -> None:
    run = (
        sent(begun(), "t90", "t30", "t7", "t3")
        .tick(OPENINGS["t0"])
        .command("t0")
        .receive("t0")
        .crash("channel-email-1")
    )
    run.wall_ms += 8_000
    run.receive("t0").receipt("t0", Outcome.ACCEPTED).decide("t0", Verdict.SENT, Reason.ACCEPTED)
    assert verdict(run).is_passed


def test_a_crash_after_the_receipt_excuses_nothing() -> None:
    run = sent(begun(), "t90", "t30", "t7", "t3", "t0")
    run.wall_ms += 8_000
    assert fired_of(verdict(run.crash("channel-email-1").receive("t0"))) == {"C4": 1}


def test_a_crash_excuses_at_most_w_touches() -> None:
    run = RunBuilder().start()
    for number in range(3):
        run.customer(f"c{number}").contract(f"k{number}", f"c{number}")
    run.tick("2026-06-01T00:00Z").tick(OPENINGS["t90"])
    for again in range(2):
        for number in range(3):
            if not again:
                run.command("t90", f"k{number}")
            run.receive("t90", f"k{number}")
        run.crash("channel-email-1")
    run.nemesis.pop()
    for number in range(3):
        run.receipt("t90", Outcome.ACCEPTED, f"k{number}").decide("t90", Verdict.SENT, Reason.ACCEPTED, f"k{number}")
        run.pay(f"k{number}", f"c{number}")
    run.tick("2026-07-01T00:00Z")
    for number in range(3):
        for step in ("t30", "t7", "t3", "t0"):
            run.decide(step, Verdict.SUPPRESSED, Reason.PAID, f"k{number}")
    assert fired_of(verdict(run)) == {}
    run.manifest["in_flight"] = 2
    assert fired_of(verdict(run)) == {"C4": 1}


def test_an_accept_whose_answer_was_lost_may_be_sent_again() -> None:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick(OPENINGS["t0"]).command("t0")
    run.receive("t0", answered_code=0, fault="drop").receive("t0")
    assert verdict(run.receipt("t0", Outcome.ACCEPTED).decide("t0", Verdict.SENT, Reason.ACCEPTED)).is_passed


def test_a_second_body_under_one_key_is_a_fault_even_in_doubt() -> None:
    run = sent(begun(), "t90", "t30", "t7", "t3").tick(OPENINGS["t0"]).command("t0")
    run.receive("t0", answered_code=0, text="Dear Customer c1: Ledger 2026-09-10 12,000.00 CNY").receive("t0")
    run.receipt("t0", Outcome.ACCEPTED).decide("t0", Verdict.SENT, Reason.ACCEPTED)
    assert fired_of(verdict(run)) == {"C4": 1}


def test_a_touch_left_open_after_the_horizon_is_pending() -> None:
    run = begun().tick(OPENINGS["t90"])
    judged = judge(run_of(run.bundle(grace_days=1)), TINY)
    assert judged.is_passed
    assert judged.balance[Ending.PENDING] == 1


def test_a_run_that_did_not_heal_does_not_count() -> None:
    run = sent(begun(), "t90", "t30", "t7", "t3", "t0")
    bundle = run.bundle()
    last = bundle.topics[topics.FENCE][-1].offset
    judged = judge(run_of(without(bundle, topics.FENCE, last)), TINY)
    assert not judged.is_passed
    assert "did not heal" in judged.faults[0]


def test_a_run_without_a_readable_policy_does_not_count() -> None:
    bundle = sent(begun(), "t90", "t30", "t7", "t3", "t0").bundle()
    judged = judge(run_of(without(bundle, topics.POLICY, 0)), TINY)
    assert "partition 0 has no policy that can be read" in judged.faults


def test_a_fault_without_proof_does_not_count() -> None:
    run = sent(begun(), "t90", "t30", "t7", "t3", "t0").crash("worker-1")
    run.nemesis[0] = msgspec.structs.replace(run.nemesis[0], proof=None)
    assert "no proof" in verdict(run).faults[0]


def test_a_run_without_each_verdict_proves_nothing() -> None:
    judged = judge(run_of(sent(begun(), "t90", "t30", "t7", "t3", "t0").bundle()), Demands())
    assert {fault.split(":")[0] for fault in judged.faults} == {"no touch is either", "no touch is must_not"}


def test_inputs_fed_twice_must_change_nothing() -> None:
    def fed_twice() -> RunBuilder:
        run = sent(begun(), "t90", "t30", "t7", "t3", "t0")
        run.manifest["fed_twice_from_ms"] = run.wall_ms + 1
        run.wall_ms += 1_000
        return run.customer().contract().tick("2026-09-10T02:00Z")

    assert verdict(fed_twice()).counts["C11"] == 0
    assert verdict(begun()).counts["C11"] is None
    assert fired_of(verdict(fed_twice().receive("t0", answered_code=0)))["C11"] == 1


def test_a_second_run_must_tell_the_same_keys_and_decisions() -> None:
    first = run_of(sent(begun(), "t90", "t30", "t7", "t3", "t0").bundle())
    same = run_of(sent(begun(), "t90", "t30", "t7", "t3", "t0").bundle())
    other = run_of(sent(begun(), "t90", "t30", "t7", "t3").bundle())
    assert judge(first, TINY, same).counts["C11"] == 0
    assert (judge(first, TINY, other).counts["C11"] or 0) > 0


def lacking_a_contact(until: str) -> RunBuilder:
    """No address behind a customer said to be reachable, until the CRM completes it at this instant; t7 is refused."""
    run = RunBuilder().start().customer(email=None).contract().tick("2026-09-03T01:00Z")
    run.command("t7").receipt("t7", Outcome.REFUSED, reason=ReceiptReason.NO_CONTACT)
    run.decide("t7", Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT, attempt=1)
    return run.tick(until).customer(version=2)


def test_a_touch_may_leave_after_all_once_the_contact_is_completed() -> None:
    run = lacking_a_contact("2026-09-03T03:00Z").tick("2026-09-03T03:01Z")
    run.command("t7", attempt=2).receive("t7", attempt=2).receipt("t7", Outcome.ACCEPTED, attempt=2)
    run.decide("t7", Verdict.SENT, Reason.ACCEPTED, attempt=2)
    assert wrong_with_t7(run) == []


def test_no_contact_stays_final_without_a_newer_record() -> None:
    run = RunBuilder().start().customer(email=None).contract().tick("2026-09-03T01:00Z")
    run.command("t7").receipt("t7", Outcome.REFUSED, reason=ReceiptReason.NO_CONTACT)
    run.decide("t7", Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT, attempt=1).customer(email=None)
    run.tick("2026-09-05T02:00Z").decide("t7", Verdict.EXPIRED, Reason.WINDOW_CLOSED, attempt=1)
    assert "C1" in wrong_with_t7(run)


@pytest.mark.parametrize(
    ("until", "wrong"),
    [
        pytest.param("2026-09-03T03:00", ["C3"], id="inside the window"),
        pytest.param("2026-09-05T01:00", [], id="after the window"),
    ],
)
def test_a_contact_completed_in_time_no_longer_excuses(until: str, wrong: list[str]) -> None:
    assert wrong_with_t7(lacking_a_contact(until + "Z").tick(until + ":01Z").tick("2026-09-05T02:00Z")) == wrong


def wrong_with_t7(run: RunBuilder) -> list[str]:
    found = [one for of_check in verdict(run).violations.values() for one in of_check]
    return [one.check for one in found if one.touch is not None and one.touch.step == "t7"]
