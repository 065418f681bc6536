"""C1: every due touch has exactly one final outcome."""

from collections import Counter
from collections.abc import Iterator

from schemas.vocabulary import Reason, Verdict
from tests.oracle.expectation import Expectation
from tests.oracle.outcomes import FINAL, Ending, ending_of
from tests.oracle.reasons import is_ambiguous, may_be_undone
from tests.oracle.run import Decided, Run
from tests.oracle.violation import Violation


def balance(run: Run) -> Counter[Ending]:
    """Count the due touches by final outcome; `missing` is the imbalance."""
    return Counter(ending_of(run, touch) for touch in run.expected.values() if touch.is_due)


def unbalanced(run: Run) -> Iterator[Violation]:
    """Touches without an outcome, with two, or in doubt where the channel's class does not allow it."""
    for touch in run.expected.values():
        if touch.is_due:
            ending = ending_of(run, touch)
            if ending is Ending.MISSING:
                yield _violation(touch, "is due, its window is over, and no final decision accounts for it")
            elif ending is Ending.UNKNOWN and not _may_be_unknown(run, touch):
                yield _violation(touch, "ends as unknown on a channel that must find out")
        if len(endings := _endings(run, touch)) > 1:
            yield _violation(touch, f"has more than one final outcome: {', '.join(sorted(endings))}")


def _violation(touch: Expectation, says: str) -> Violation:
    return Violation(check="C1", says=says, touch=touch.touch, customer_id=touch.customer_id)


def _may_be_unknown(run: Run, touch: Expectation) -> bool:
    is_open = touch.delivery_class == "at_most_once"
    return is_open or any(is_ambiguous(row) for row in run.inbox.get(touch.touch, ()))


def _endings(run: Run, touch: Expectation) -> set[str]:
    """Every outcome that was final when it was decided; what was reopened, in doubt or re-placed starts afresh.

    So does what lacked a contact that a newer record of the customer may have brought.
    """
    if len(touch.placements) > 1 or any(span.lifted_at_ms < 1 << 62 for span in touch.blockers):
        return set()
    found: set[str] = set()
    lacking: Decided | None = None
    for decided in run.decisions.get(touch.touch, ()):
        decision = decided.decision
        if decision.verdict is Verdict.REOPENED or (lacking and may_be_undone(run, touch, lacking, decided)):
            found.clear()
            lacking = None
        if decision.verdict in FINAL and decision.reason is not Reason.QUARANTINED:
            found.discard(Ending.UNKNOWN)
            found.add(FINAL[decision.verdict])
        if decision.reason is Reason.NO_USABLE_CONTACT:
            lacking = decided
    return found
