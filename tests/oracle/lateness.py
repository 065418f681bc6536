"""How late touches were received, in domain time.

Measured from the target instant: the first send hour of the window in force, or of the stretch in which the touch was
first known; where the system justifiably moved, held or retried it, from the last instant named by such a decision.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.vocabulary import Verdict as Said
from tests.oracle.bundle import InboxRow
from tests.oracle.expected import Expectation
from tests.oracle.reasons import is_justified
from tests.oracle.run import Decided, Run

_POSTPONING = frozenset({Said.MOVED, Said.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """Milliseconds of domain time between target instant and first accept."""

    p50: int
    p99: int
    max: int
    touches: int


def lateness(run: Run) -> Lateness:
    """Summarise all accepted touches; zeros when there are none."""
    found = sorted(_lateness_ms(run))
    if not found:
        return Lateness(p50=0, p99=0, max=0, touches=0)
    return Lateness(p50=_quantile(found, 50), p99=_quantile(found, 99), max=found[-1], touches=len(found))


def _lateness_ms(run: Run) -> Iterator[int]:
    for touch, rows in run.inbox.items():
        first = next((row for row in rows if row.acted), None)
        if first is not None:
            yield max(0, first.domain_ms - _target_ms(run, run.expected[touch], first))


def _target_ms(run: Run, touch: Expectation, first: InboxRow) -> int:
    targets = [touch.target_ms]
    targets += [
        left[0][0]
        for one in touch.placements
        if one.holds_at(first.domain_ms) and (left := one.slots_from(one.certain_from_ms))
    ]
    target_ms = min(targets)
    for decided in run.decisions.get(touch.touch, ()):
        decision = decided.decision
        if decision.decided_at_ms <= first.domain_ms and _is_postponed(run, touch, decided):
            target_ms = max(target_ms, min(decision.next_look_at_ms, first.domain_ms), decision.decided_at_ms)
    return target_ms


def _is_postponed(run: Run, touch: Expectation, decided: Decided) -> bool:
    verdict = decided.decision.verdict
    return verdict is Said.RETRIED or (verdict in _POSTPONING and is_justified(run, touch, decided))


def _quantile(ordered: list[int], percent: int) -> int:
    """The smallest value that so many percent do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
