"""Twelve scenarios worked by hand fix what `expected()` says."""

from collections.abc import Callable
from datetime import date

import pytest

from schemas import topics
from schemas.vocabulary import Channel, ContractStatus, PaymentKind, RequestKind
from tests.oracle.expectation import Expectation, Verdict
from tests.oracle.run import run_of
from tests.unit.oracle.run_builder import Field, RunBuilder, ms

MUST, MUST_NOT, EITHER = Verdict.MUST, Verdict.MUST_NOT, Verdict.EITHER
STEPS = ("t90", "t30", "t7", "t3", "t0")
FIRST_TICK, LAST_TICK = "2026-06-01T00:00Z", "2026-09-10T11:00Z"


def steps_of(run: RunBuilder, contract_id: str = "k1") -> dict[str, Expectation]:
    """Judge a run that ends ten days after its last tick; touches of one contract by step."""
    found = run_of(run.bundle()).expected
    return {touch.step: one for touch, one in found.items() if touch.contract_id == contract_id}


def verdicts(run: RunBuilder, contract_id: str = "k1") -> list[Verdict]:
    """Verdicts in the order of the cadence."""
    found = steps_of(run, contract_id)
    return [found[step].verdict for step in STEPS]


def known(*, is_virtual: bool = True, **contract: Field) -> RunBuilder:
    """A customer in Shanghai whose contract is known from the first tick on."""
    return RunBuilder(is_virtual=is_virtual).start().customer().contract(**contract).tick(FIRST_TICK)


def test_1_a_quiet_year_calls_for_every_step_in_its_own_window() -> None:
    found = steps_of(known().tick(LAST_TICK))
    assert [(found[step].opens_ms, found[step].closes_ms) for step in STEPS] == [
        (ms("2026-06-12T01:00Z"), ms("2026-06-19T01:00Z")),
        (ms("2026-08-11T01:00Z"), ms("2026-08-18T01:00Z")),
        (ms("2026-09-03T01:00Z"), ms("2026-09-05T01:00Z")),
        (ms("2026-09-07T01:00Z"), ms("2026-09-09T01:00Z")),
        (ms("2026-09-10T01:00Z"), ms("2026-09-10T10:00Z")),
    ]
    assert {one.verdict for one in found.values()} == {MUST}
    assert all(one.is_due and one.target_ms == one.opens_ms for one in found.values())


def test_2_a_payment_stops_what_opens_later_and_leaves_open_what_is_open() -> None:
    def paid_meanwhile(run: RunBuilder) -> RunBuilder:
        return run.tick("2026-08-11T01:00Z").pay().tick("2026-08-13T01:00Z").tick(LAST_TICK)

    assert verdicts(paid_meanwhile(known(is_virtual=False))) == [MUST, EITHER, MUST_NOT, MUST_NOT, MUST_NOT]
    # the virtual clock waits for whoever is down, so t30 had left before the payment came
    assert verdicts(paid_meanwhile(known())) == [MUST, MUST, MUST_NOT, MUST_NOT, MUST_NOT]


def test_3_a_refund_reopens_the_rest() -> None:
    run = known().pay().tick("2026-08-01T00:00Z").pay(version=2, kind=PaymentKind.REFUNDED).tick("2026-09-01T00:00Z")
    assert verdicts(run.tick(LAST_TICK)) == [MUST, MUST_NOT, MUST, MUST, MUST]


def test_4_weekends_move_openings_and_a_weekend_expiry_is_pulled_forward() -> None:
    # Sunday 13 September 2026: t90 is Mon 15 June, t30 Fri 14 Aug, t7 Sun 6 Sep -> Mon, t3 Thu 10 Sep, t0 -> Fri 11 Sep
    found = steps_of(known(expires_on=date(2026, 9, 13)).tick(LAST_TICK))
    assert [(found[step].opens_ms, found[step].closes_ms) for step in STEPS] == [
        (ms("2026-06-15T01:00Z"), ms("2026-06-22T01:00Z")),
        (ms("2026-08-14T01:00Z"), ms("2026-08-21T01:00Z")),
        (ms("2026-09-07T01:00Z"), ms("2026-09-08T01:00Z")),
        (ms("2026-09-10T01:00Z"), ms("2026-09-11T01:00Z")),
        (ms("2026-09-11T01:00Z"), ms("2026-09-11T10:00Z")),
    ]


def test_5_a_saturday_step_moves_its_close_along_as_far_as_the_next_step_lets_it() -> None:
    # Tuesday 8 September 2026: t3 is Saturday 5 Sep, 48 h end on Monday 09:00 when it opens; t0 opens on Tuesday 09:00
    found = steps_of(known(expires_on=date(2026, 9, 8)).tick(LAST_TICK))
    assert (found["t3"].opens_ms, found["t3"].closes_ms) == (ms("2026-09-07T01:00Z"), ms("2026-09-08T01:00Z"))


def test_6_a_contract_first_seen_late_skips_what_is_over_and_owes_the_open_step_at_once() -> None:
    run = RunBuilder().start().customer().tick(FIRST_TICK).contract().tick("2026-08-12T03:00Z").tick(LAST_TICK)
    found = steps_of(run)
    assert [found[step].verdict for step in STEPS] == [MUST_NOT, MUST, MUST, MUST, MUST]
    assert found["t30"].target_ms == ms("2026-08-12T03:00Z")


def test_7_first_seen_at_night_it_leaves_at_the_next_opening() -> None:
    run = RunBuilder().start().customer().tick(FIRST_TICK).contract().tick("2026-08-14T12:00Z").tick(LAST_TICK)
    assert steps_of(run)["t30"].target_ms == ms("2026-08-17T01:00Z")  # Friday 20:00, so Monday 09:00


def test_8_a_corrected_end_date_is_the_same_term_with_other_windows() -> None:
    run = known().tick("2026-06-12T01:00Z").contract(version=2, expires_on=date(2026, 10, 15))
    found = steps_of(run.tick("2026-07-01T00:00Z").tick("2026-10-15T11:00Z"))
    assert found["t30"].opens_ms == ms("2026-09-15T01:00Z")
    assert [found[step].verdict for step in STEPS] == [MUST, MUST, MUST, MUST, MUST]


def test_9_an_older_version_that_comes_late_changes_nothing() -> None:
    run = known(version=5).contract(version=4, expires_on=date(2027, 1, 1)).tick("2026-07-01T00:00Z").tick(LAST_TICK)
    assert steps_of(run)["t30"].opens_ms == ms("2026-08-11T01:00Z")


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(lambda run: run.ask(RequestKind.OPTED_OUT), id="opted out"),
        pytest.param(lambda run: run.ask(RequestKind.OPTED_OUT, channel=Channel.EMAIL), id="of e-mail"),
        pytest.param(lambda run: run.ask(RequestKind.CONSENT_WITHDRAWN), id="consent withdrawn"),
        pytest.param(lambda run: run.ask(RequestKind.ERASURE), id="erased"),
        pytest.param(lambda run: run.ask(RequestKind.STOP), id="stopped"),
        pytest.param(lambda run: run.contract(version=2, status=ContractStatus.CANCELLED), id="cancelled"),
        pytest.param(lambda run: run.customer(version=2, reachable=()), id="unreachable"),
    ],
)
def test_10_whoever_left_or_cannot_be_reached_gets_nothing_more(stop: Callable[[RunBuilder], RunBuilder]) -> None:
    run = stop(known().tick("2026-07-01T00:00Z")).tick("2026-07-02T00:00Z").tick(LAST_TICK)
    assert verdicts(run) == [MUST, MUST_NOT, MUST_NOT, MUST_NOT, MUST_NOT]


def test_11_a_refused_record_holds_its_customer_until_released_and_what_came_behind_waits() -> None:
    run = known().poison(topics.PAYMENT).tick("2026-08-01T00:00Z").pay().tick("2026-08-20T00:00Z")
    assert verdicts(run.tick(LAST_TICK)) == [MUST, MUST_NOT, MUST_NOT, MUST_NOT, MUST_NOT]
    released = known().poison(topics.PAYMENT).tick("2026-08-01T00:00Z").tick("2026-08-20T00:00Z")
    released.ask(RequestKind.QUARANTINE_RELEASE, is_drop=True).tick("2026-08-21T00:00Z")
    assert verdicts(released.tick(LAST_TICK)) == [MUST, MUST_NOT, MUST, MUST, MUST]


def test_12_more_touches_than_the_caps_allow_leave_it_open_which_of_them_go() -> None:
    run = RunBuilder().start().customer()
    for number in range(4):
        run.contract(f"k{number}")
    run.tick(FIRST_TICK).tick(LAST_TICK)
    found = run_of(run.bundle()).expected
    by_step = {step: {one.verdict for touch, one in found.items() if touch.step == step} for step in STEPS}
    assert by_step == {"t90": {EITHER}, "t30": {EITHER}, "t7": {EITHER}, "t3": {EITHER}, "t0": {MUST}}


def test_a_touch_that_a_cap_moved_may_meet_a_payment_on_the_way() -> None:
    run = RunBuilder().start().customer().contract("k1").contract("k2").tick(FIRST_TICK)
    run.tick("2026-06-12T01:00Z").pay("k2").tick("2026-06-15T00:00Z").tick(LAST_TICK)
    assert steps_of(run, "k1")["t90"].verdict is MUST  # the first of the two on Friday
    assert steps_of(run, "k2")["t90"].verdict is EITHER  # moved to Monday, and paid before
