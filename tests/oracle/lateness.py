"""How late touches were received, in domain time.

Measured from the target instant: the first send hour of the window in force, or of the stretch in which the touch was
first known or last unblocked; where the system justifiably moved, held or retried it, from the instant to which the
evidence allowed it to be moved. Touches that were justifiably suppressed and judged again later are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.vocabulary import Verdict as Said
from tests.oracle.bundle import InboxRow
from tests.oracle.expectation import Expectation
from tests.oracle.placements import Placement
from tests.oracle.reasons import is_capped_at, is_justified
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
        if first is not None and not _was_suppressed(run.decisions.get(touch, ())):
            yield max(0, first.domain_ms - _target_ms(run, run.expected[touch], first))


def _was_suppressed(decisions: Sequence[Decided]) -> bool:
    return any(decided.decision.verdict is Said.SUPPRESSED for decided in decisions)


def _target_ms(run: Run, touch: Expectation, first: InboxRow) -> int:
    received_ms = first.domain_ms
    placement = next((one for one in touch.placements if one.holds_at(received_ms)), touch.placements[-1])
    left = placement.slots_from(placement.certain_from_ms)
    target_ms = left[0][0] if left else touch.target_ms
    ended = [span.possible_to_ms for span in touch.blockers if span.possible_to_ms <= received_ms]
    target_ms = max([target_ms, *ended])
    postponed = [one for one in run.decisions.get(touch.touch, ()) if _is_postponed(run, touch, one)]
    for decided in postponed:
        decision = decided.decision
        if decision.decided_at_ms <= received_ms:
            target_ms = max(target_ms, min(decision.next_look_at_ms, received_ms), decision.decided_at_ms)
    return _uncapped_ms(run, touch, placement, target_ms) if postponed else target_ms


def _uncapped_ms(run: Run, touch: Expectation, placement: Placement, target_ms: int) -> int:
    """The first send hour from the target on at which the caps leave room."""
    begins = [begin for begin, _ in placement.slots_from(target_ms)]
    free = (begin for begin in begins if not is_capped_at(run, touch, begin, by_ms=0))  # no refusal is known yet
    return next(free, target_ms)


def _is_postponed(run: Run, touch: Expectation, decided: Decided) -> bool:
    verdict = decided.decision.verdict
    return verdict is Said.RETRIED or (verdict in _POSTPONING and is_justified(run, touch, decided))


def _quantile(ordered: list[int], percent: int) -> int:
    """The smallest value that so many percent do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
