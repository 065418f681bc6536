"""The verdict on one run: all checks, the balance, lateness, and whether the run counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from tests.oracle.checks import balance, content, duplicates, existence, replay, stopping, timing
from tests.oracle.expectation import Verdict
from tests.oracle.healing import Demands, either_share, faults_of
from tests.oracle.lateness import Lateness, lateness
from tests.oracle.outcomes import Ending
from tests.oracle.run import Run
from tests.oracle.violation import Violation

CHECKS = tuple(f"C{number}" for number in range(1, 12))
TITLES = {
    "C1": "balance",
    "C2": "nothing invented",
    "C3": "nothing lost",
    "C4": "no duplicate",
    "C5": "never early",
    "C6": "never after payment",
    "C7": "never after opt-out or erasure",
    "C8": "caps",
    "C9": "order",
    "C10": "content",
    "C11": "replay-proof",
}
_ON_ONE_RUN: tuple[Callable[[Run], Iterator[Violation]], ...] = (
    balance.unbalanced,
    existence.invented,
    existence.lost,
    duplicates.duplicated,
    timing.early,
    stopping.after_stop,
    stopping.dishonest_barriers,
    timing.over_caps,
    timing.out_of_order,
    content.wrongly_worded,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the evidence says of a run; C11 is None in `counts` where nothing was fed twice."""

    violations: Mapping[str, tuple[Violation, ...]]
    counts: Mapping[str, int | None]
    balance: Mapping[Ending, int]
    verdicts: Mapping[Verdict, int]
    due: int
    imbalance: int
    lateness: Lateness
    faults: tuple[str, ...]
    either_share: float

    @property
    def is_passed(self) -> bool:
        """Whether nothing at all is wrong."""
        return not (any(self.counts.values()) or self.imbalance or self.faults)


def judge(run: Run, demands: Demands, second: Run | None = None) -> Judgement:
    """Judge a run, and a second one over the same inputs beside it."""
    fed_twice = run.bundle.manifest.fed_twice_from_ms > 0
    found: list[Violation] = list(chain.from_iterable(check(run) for check in _ON_ONE_RUN))
    if fed_twice:
        found += replay.changed_by_second_feeding(run)
    if second is not None:
        found += replay.differences(run, second)
    return _judgement(run, demands, found, is_replayed=fed_twice or second is not None)


def _judgement(run: Run, demands: Demands, found: Iterable[Violation], *, is_replayed: bool) -> Judgement:
    by_check: dict[str, list[Violation]] = {check: [] for check in CHECKS}
    for violation in found:
        by_check[violation.check].append(violation)
    lines = balance.balance(run)
    due = [touch for touch in run.expected.values() if touch.is_due]
    return Judgement(
        violations={check: tuple(violations) for check, violations in by_check.items()},
        counts={
            check: None if check == "C11" and not is_replayed else len(violations)
            for check, violations in by_check.items()
        },
        balance=lines,
        verdicts=Counter(touch.verdict for touch in due),
        due=len(due),
        imbalance=lines[Ending.MISSING],
        lateness=lateness(run),
        faults=tuple(faults_of(run, demands)),
        either_share=either_share(run),
    )
