"""What a run says while it goes on where there is no terminal: plain lines, each on its own, and not too many."""

import io

from rich.console import Console

from deploy.demo.account import PENDING, SENT, SUPPRESSED
from deploy.demo.plan import DAY_MS, WorldPlan
from deploy.demo.progress import Screen

HOUR_MS = DAY_MS // 24


def lines_of(days: int) -> list[str]:
    plan, out = WorldPlan(customers=10, days=days), io.StringIO()
    counts = {SENT: 1_234, SUPPRESSED: 0, PENDING: 2}
    with Screen(plan, lambda _now_ms: counts, Console(file=out)) as screen:
        for now_ms in range(plan.start_ms, plan.until_ms + 1, 6 * HOUR_MS):
            screen.ticked(now_ms)
        screen.note("[red]worker-1 killed[/red]")
    return out.getvalue().splitlines()


def test_a_pipe_gets_a_line_every_ten_days() -> None:
    *days, _note = lines_of(days=100)
    assert [line.split(",")[0] for line in days] == [f"day {day} of 100" for day in range(10, 101, 10)]
    assert "Thu 12 Feb 2026: sent 1,234, suppressed 0, pending 2; 41 ticks, " in days[0]


def test_a_short_run_is_told_day_by_day() -> None:
    assert len(lines_of(days=8)) == 8 + 1


def test_a_pipe_gets_every_note_as_a_line_of_its_own() -> None:
    assert lines_of(days=8)[-1] == "worker-1 killed"
