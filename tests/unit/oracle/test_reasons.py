"""A reason not to send stands with its evidence and falls without it."""

from collections.abc import Callable

import pytest

from schemas import topics
from schemas.vocabulary import ContractStatus, Outcome, PaymentKind, Reason, RequestKind, Verdict
from tests.oracle.expectation import TouchId
from tests.oracle.lateness import lateness
from tests.oracle.reasons import is_justified
from tests.oracle.run import run_of
from tests.unit.oracle.run_builder import RunBuilder
from tests.unit.oracle.test_checks import OPENINGS, begun, sent

T30 = TouchId("k1", "t", "t30", "email")
Scene = Callable[[], RunBuilder]


def justified(run: RunBuilder, reason: Reason, touch: TouchId = T30) -> bool:
    """Decide against sending for this reason, now, and judge the decision alone."""
    run.decide(touch.step, Verdict.SUPPRESSED, reason, touch.contract_id)
    judged = run_of(run.bundle())
    return is_justified(judged, judged.expected[touch], judged.decisions[touch][-1])


def at_opening() -> RunBuilder:
    """The instant at which t30 opens, with nothing against it."""
    return sent(begun(), "t90").tick(OPENINGS["t30"])


def after(act: Callable[[RunBuilder], object]) -> Scene:
    """The same instant, after something that stands against the touch."""

    def scene() -> RunBuilder:
        run = sent(begun(), "t90")
        act(run)
        return run.tick(OPENINGS["t30"])

    return scene


def at(moment: str) -> Scene:
    """Another instant, with nothing against the touch but the hour or the day."""
    return lambda: sent(begun(), "t90").tick(moment)


def first_seen_after_its_window() -> RunBuilder:
    return RunBuilder().start().customer().tick("2026-06-01T00:00Z").contract().tick("2026-08-20T00:00Z")


def stopped_to_the_end() -> RunBuilder:
    return sent(begun(), "t90").ask(RequestKind.STOP).tick(OPENINGS["t30"]).tick("2026-08-18T01:00Z")


def beside_a_rival(run: RunBuilder, *, sends: bool) -> RunBuilder:
    """Another contract of the customer, whose touch of the same day did or did not leave."""
    run.contract("k2").tick(OPENINGS["t30"])
    return run.send("t30", "k2") if sends else run


def refused(outcome: Outcome) -> Scene:
    """An attempt that the provider did not accept."""

    def scene() -> RunBuilder:
        run = at_opening().command("t30").receive("t30", acted=False, answered_code=554)
        return run.receipt("t30", outcome)

    return scene


def without_an_address() -> RunBuilder:
    return RunBuilder().start().customer(email=None).contract().tick("2026-06-01T00:00Z").tick(OPENINGS["t30"])


STANDING = [
    (Reason.PAID, after(lambda run: run.pay())),
    (Reason.UNSUBSCRIBED, after(lambda run: run.ask(RequestKind.OPTED_OUT))),
    (Reason.NO_CONSENT, after(lambda run: run.ask(RequestKind.CONSENT_WITHDRAWN))),
    (Reason.ERASED, after(lambda run: run.ask(RequestKind.ERASURE))),
    (Reason.STOPPED, after(lambda run: run.ask(RequestKind.STOP))),
    (Reason.QUARANTINED, after(lambda run: run.poison(topics.PAYMENT))),
    (Reason.CONTRACT_ENDED, after(lambda run: run.contract(version=2, status=ContractStatus.CANCELLED))),
    (Reason.CONTRACT_SUPERSEDED, after(lambda run: run.contract(version=2, status=ContractStatus.SUPERSEDED))),
    (Reason.CONTRACT_TRANSFERRED, after(lambda run: run.contract(version=2, status=ContractStatus.TRANSFERRED))),
    (Reason.NO_USABLE_CONTACT, after(lambda run: run.customer(version=2, reachable=()))),
    (Reason.NO_USABLE_CONTACT, without_an_address),
    (Reason.LATE, first_seen_after_its_window),
    (Reason.LATE, lambda: at_opening().policy(2, without="t30").tick("2026-08-11T01:01Z")),
    (
        Reason.WINDOW_CLOSED,
        stopped_to_the_end,
    ),
    (Reason.FREQUENCY_CAP, lambda: beside_a_rival(sent(begun(), "t90"), sends=True)),
    (Reason.QUIET_HOURS, at("2026-08-11T12:00Z")),
    (Reason.NOT_A_WORKING_DAY, at("2026-08-15T03:00Z")),
    (Reason.PERMANENT_FAILURE, refused(Outcome.PERMANENT_FAILURE)),
    (Reason.RETRIES_EXHAUSTED, refused(Outcome.TEMPORARY_FAILURE)),
]


@pytest.mark.parametrize(("reason", "scene"), STANDING, ids=lambda one: getattr(one, "value", ""))
def test_a_reason_stands_with_its_evidence(reason: Reason, scene: Scene) -> None:
    assert justified(scene(), reason)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.UNSPECIFIED])
def test_without_evidence_no_reason_stands(reason: Reason) -> None:
    assert not justified(at_opening(), reason)


@pytest.mark.parametrize(
    ("reason", "scene"),
    [
        pytest.param(Reason.PAID, after(lambda run: run.pay("k2")), id="payment of another contract"),
        pytest.param(
            Reason.PAID,
            after(lambda run: run.pay().pay(version=2, kind=PaymentKind.CHARGED_BACK)),
            id="payment charged back",
        ),
        pytest.param(
            Reason.UNSUBSCRIBED,
            after(lambda run: run.ask(RequestKind.OPTED_OUT).ask(RequestKind.OPTED_IN)),
            id="opted in again",
        ),
        pytest.param(Reason.STOPPED, after(lambda run: run.ask(RequestKind.STOP).ask(RequestKind.START)), id="started"),
        pytest.param(
            Reason.FREQUENCY_CAP, lambda: beside_a_rival(sent(begun(), "t90"), sends=False), id="rival unsent"
        ),
        pytest.param(Reason.QUARANTINED, after(lambda run: run.poison(topics.ENGAGEMENT)), id="engagement never holds"),
        pytest.param(Reason.WINDOW_CLOSED, at("2026-08-18T01:00Z"), id="nothing was in the way"),
        pytest.param(Reason.QUIET_HOURS, at("2026-08-11T09:59Z"), id="a minute to six in the evening"),
    ],
)
def test_evidence_for_something_else_does_not_do(reason: Reason, scene: Scene) -> None:
    assert not justified(scene(), reason)


def test_an_expiry_on_the_real_clock_needs_a_window_almost_full_of_harm() -> None:
    def run_with_harm(until: str) -> RunBuilder:
        run = sent(begun(is_virtual=False), "t90").tick(OPENINGS["t30"])
        run.crash("worker-1", until=until)
        return run.tick("2026-08-18T01:00Z")

    assert justified(run_with_harm("2026-08-17T09:59Z"), Reason.WINDOW_CLOSED)
    assert not justified(run_with_harm("2026-08-17T09:57Z"), Reason.WINDOW_CLOSED)


def test_a_justified_move_moves_the_target_of_lateness() -> None:
    run = sent(begun(), "t90").contract("k2").tick(OPENINGS["t30"]).send("t30", "k2")
    run.decide("t30", Verdict.MOVED, Reason.FREQUENCY_CAP, next_look_at_ms=run.now_ms + 86_400_000)
    run.tick("2026-08-12T01:00Z").send("t30")
    assert lateness(run_of(run.bundle())).max == 0


def test_without_a_reason_the_wait_is_lateness() -> None:
    run = sent(begun(), "t90").tick(OPENINGS["t30"]).tick("2026-08-11T01:00:07Z").send("t30")
    assert lateness(run_of(run.bundle())).max == 7_000
