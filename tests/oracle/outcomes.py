"""The one final outcome of each touch, as the system claims it."""

from collections.abc import Sequence
from enum import StrEnum

from schemas.vocabulary import Reason, Verdict
from tests.oracle.expectation import Expectation
from tests.oracle.run import Decided, Run


class Ending(StrEnum):
    """A line of the balance; `missing` is what the balance does not allow."""

    SENT = "sent"
    SUPPRESSED = "suppressed"
    DEAD_LETTERED = "dead_lettered"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"
    PENDING = "pending"
    UNKNOWN = "unknown"
    MISSING = "missing"


FINAL = {
    Verdict.SENT: Ending.SENT,
    Verdict.SUPPRESSED: Ending.SUPPRESSED,
    Verdict.SKIPPED: Ending.SUPPRESSED,
    Verdict.EXPIRED: Ending.EXPIRED,
    Verdict.DEAD_LETTERED: Ending.DEAD_LETTERED,
    Verdict.UNKNOWN: Ending.UNKNOWN,
}
_SAY_NOTHING = frozenset({Verdict.DECLINED, Verdict.REOPENED})


def ending_of(run: Run, touch: Expectation) -> Ending:
    """Read the balance line of a touch from its last decision."""
    last = last_decision(run.decisions.get(touch.touch, ()))
    if last is not None and last.decision.reason is Reason.QUARANTINED:
        return Ending.QUARANTINED
    if last is not None and last.decision.verdict in FINAL:
        return FINAL[last.decision.verdict]
    if touch.closes_ms > run.bundle.manifest.horizon_ms:
        return Ending.PENDING
    if last is None and _is_claimed_held(run, touch):
        return Ending.QUARANTINED
    return Ending.MISSING


def last_decision(decisions: Sequence[Decided]) -> Decided | None:
    """The last decision that says something about sending: declined and reopened do not."""
    for decided in reversed(decisions):
        if decided.decision.verdict not in _SAY_NOTHING:
            return decided
    return None


def _is_claimed_held(run: Run, touch: Expectation) -> bool:
    return any(lifted_ms >= 1 << 62 for _, lifted_ms in run.holds.get(touch.customer_id, ()))
