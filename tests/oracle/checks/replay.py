"""C11: inputs fed again change nothing, in the same run or in another one."""

from collections import Counter
from collections.abc import Iterator

from schemas.vocabulary import Verdict as Said
from tests.oracle.expectation import Expectation, Verdict
from tests.oracle.outcomes import FINAL, last_decision
from tests.oracle.run import Run
from tests.oracle.violation import Violation

_ON_ITS_WAY = frozenset({Said.RELEASED, Said.SENT, Said.RETRIED, Said.UNKNOWN})


def changed_by_second_feeding(run: Run) -> Iterator[Violation]:
    """What left or was decided otherwise after all inputs of this run were fed a second time."""
    from_ms = run.bundle.manifest.fed_twice_from_ms
    for touch in run.expected.values():
        if any(row.received_ms >= from_ms for row in run.inbox.get(touch.touch, ())):
            yield _violation(touch, "was received again after the inputs were fed a second time")
        if any(ordered.appended_at_ms >= from_ms for ordered in run.commands.get(touch.touch, ())):
            yield _violation(touch, "was commanded again after the inputs were fed a second time")
        decisions = run.decisions.get(touch.touch, ())
        before = last_decision([one for one in decisions if one.appended_at_ms < from_ms])
        after = last_decision(decisions)
        if before and after and before.decision.verdict in FINAL and after.decision.verdict != before.decision.verdict:
            yield _violation(
                touch, f"was {before.decision.verdict} and became {after.decision.verdict} by the second feeding"
            )


def differences(first: Run, second: Run) -> Iterator[Violation]:
    """Where a second run over the same inputs tells another inbox, other keys or other decisions."""
    for key in sorted((_accepts(first) - _accepts(second)) + (_accepts(second) - _accepts(first))):
        if second.bundle.inbox:
            yield Violation(check="C11", says=f"the inboxes differ in {key[0]!r}")
    for touch in first.expected.values():
        if touch.verdict is not Verdict.EITHER:
            if _keys(first, touch) != _keys(second, touch):
                yield _violation(touch, "was commanded under other keys in the second run")
            elif _concluded(first, touch) != _concluded(second, touch):
                yield _violation(
                    touch, f"was concluded {_concluded(first, touch)} first and {_concluded(second, touch)} then"
                )


def _accepts(run: Run) -> "Counter[tuple[str, str]]":
    return Counter((row.key, row.body_sha256) for row in run.bundle.inbox if row.acted)


def _keys(run: Run, touch: Expectation) -> set[str]:
    return {ordered.command.touch_key for ordered in run.commands.get(touch.touch, ())}


def _concluded(run: Run, touch: Expectation) -> str:
    last = last_decision(run.decisions.get(touch.touch, ()))
    if last is None:
        return "nothing"
    if last.decision.verdict in _ON_ITS_WAY:
        return "to be sent"  # a run with delivery off cannot know more
    return f"{last.decision.verdict}: {last.decision.reason}"


def _violation(touch: Expectation, says: str) -> Violation:
    return Violation(check="C11", says=says, touch=touch.touch, customer_id=touch.customer_id)
