"""The verdict for people: one table of checks, the balance, lateness, and the first touches' stories."""

from itertools import islice

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.oracle.judgement import CHECKS, TITLES, Judgement
from tests.oracle.outcomes import Ending
from tests.oracle.run import Run
from tests.oracle.story import story_of
from tests.oracle.violation import Violation

STORIES = 5


def show(console: Console, run: Run, judgement: Judgement) -> None:
    """Print everything a reader of a failed run needs, and little for a clean one."""
    console.print(_checks(judgement))
    console.print(_balance(judgement))
    late = judgement.lateness
    console.print(
        f"lateness in domain time from the target instant (as moved justifiably), {late.touches} touches: "
        f"p50 {late.p50} ms, p99 {late.p99} ms, max {late.max} ms"
    )
    shares = ", ".join(f"{verdict} {count}" for verdict, count in sorted(judgement.verdicts.items()))
    console.print(f"expected: {shares}; either {judgement.either_share:.1%} of {judgement.due} due touches")
    for fault in judgement.faults:
        console.print(f"[red]the run does not count:[/red] {escape(fault)}")
    for check in CHECKS:
        _stories(console, run, judgement.violations[check])
    console.print("[green]passed[/green]" if judgement.is_passed else "[red]failed[/red]")


def _checks(judgement: Judgement) -> Table:
    table = Table("check", "what", "violations")
    for check in CHECKS:
        count = judgement.counts[check]
        shown = "not judged: nothing was fed twice" if count is None else str(count)
        table.add_row(check, TITLES[check], f"[red]{shown}[/red]" if count else shown)
    return table


def _balance(judgement: Judgement) -> Table:
    table = Table("balance", "touches")
    table.add_row("due", str(judgement.due))
    for ending in Ending:
        if ending is not Ending.MISSING:
            table.add_row(ending.value, str(judgement.balance.get(ending, 0)))
    shown = str(judgement.imbalance)
    table.add_row("imbalance", f"[red]{shown}[/red]" if judgement.imbalance else shown)
    return table


def _stories(console: Console, run: Run, violations: tuple[Violation, ...]) -> None:
    for violation in islice(violations, STORIES):
        name = "|".join(violation.touch) if violation.touch else violation.customer_id or "the run"
        console.print(f"\n[bold]{violation.check}[/bold] {escape(name)} {escape(violation.says)}")
        if violation.touch:
            for line in story_of(run, violation.touch):
                console.print(f"    {escape(line)}", soft_wrap=True)
    if len(violations) > STORIES:
        console.print(f"... and {len(violations) - STORIES} more of {violations[0].check}")
