"""The figures of a run: as JSON for scripts, as a table for people."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.demo.account import OUTCOMES, Account
from deploy.demo.plan import WorldPlan
from deploy.demo.report import LATENESS_MEANS, spelled_duration
from deploy.demo.samples import Sample

FIGURES = "figures.json"


def write_figures(folder: Path, plan: WorldPlan, account: Account, *, killed_workers: int, seconds: float) -> Path:
    """Write what the demo itself counted, into the bundle and beside it; the oracle completes the latter."""
    told = {
        "customers": plan.customers,
        "days": plan.days,
        "seed": plan.seed,
        "due": account.due,
        **account.counts,
        "suppressed_by_reason": dict(account.reasons),
        "imbalance": account.imbalance,
        "lateness_ms": account.lateness(),
        "killed_workers": killed_workers,
        "seconds": round(seconds, 1),
    }
    text = json.dumps(told, indent=2) + "\n"
    (folder / FIGURES).write_text(text)
    beside = folder.with_suffix(".json")
    beside.write_text(text)
    return beside


def print_account(console: Console, account: Account) -> None:
    """Print the balance: every due touch, once."""
    table = Table(title="what became of every touch that was due")
    table.add_column("outcome")
    table.add_column("touches", justify="right")
    table.add_row("due", f"{account.due:,}", style="bold")
    for outcome in OUTCOMES:
        table.add_row(outcome.replace("_", " "), f"{account.counts[outcome]:,}")
        if outcome == "suppressed":
            for reason, count in account.reasons.items():
                table.add_row(f"  {reason.replace('_', ' ')}", f"{count:,}", style="dim")
    balanced = account.imbalance == 0
    table.add_row("balance", f"{account.imbalance:,}", style="bold green" if balanced else "bold red")
    console.print(table)
    late = ", ".join(f"{name} {spelled_duration(value)}" for name, value in account.lateness().items())
    console.print(f"lateness in domain time: {late}")
    console.print(LATENESS_MEANS, style="dim")


def print_samples(console: Console, samples: Sequence[Sample]) -> None:
    """Print a few mails as they arrived."""
    for sample in samples:
        mail, remark = sample.mail, f" ({sample.remark})" if sample.remark else ""
        console.rule(Text(mail.subject), align="left")
        console.print(Text(f"to {mail.recipient}{remark}", style="dim"))
        console.print(Text(mail.text.strip()))
    console.rule()
