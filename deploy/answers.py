"""Answers on the screen: a customer's story, what is to come, dead letters, quarantine; times carry a zone (P35)."""

from collections import Counter
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.queries.changelog import PartitionRows, all_rows, rows_around
from connectors.queries.dead_letters import dead_letter, dead_letters
from connectors.queries.decisions import decisions_of
from deploy.settings import installation
from processors.explain import Entry, explain
from processors.policies import Policies, decode_policies
from processors.state import CustomerState, decode_state
from processors.upcoming import upcoming
from schemas.outputs import DeadLetter
from schemas.vocabulary import DeadLetterKind

_SHOWN_BYTES = 512
_WIDE = 140  # columns from which local time and UTC stand on one line
_NEXT_STEP = {
    "undecodable": "correct the sender; then `perennial quarantine release CUSTOMER --replace FILE`, or `--drop`",
    "unknown_schema": "register the schema, or correct the sender; then `perennial quarantine release CUSTOMER`",
    "invalid": "correct the record in its source; then `perennial quarantine release CUSTOMER --replace FILE`",
    "step_failed": "a fault of ours: keep this record for a test; then `perennial quarantine release CUSTOMER`",
}


def print_explanation(customer: str) -> None:
    """Print what happened to a customer, why, and what comes next."""
    here, console = installation(), Console()
    part = rows_around(here.kafka(), here.application, here.partitions, customer)
    told = explain(
        _state(part, customer),
        decisions_of(here.kafka(), here.codec(), here.partitions, customer),
        _policies(part),
        part.meta.watermark_at_ms if part.meta else 0,
    )
    console.print(
        f"Customer {customer} (times on the customer's clock: {told.zone or '?'})", style="bold", markup=False
    )
    for fact in told.facts:
        console.print(f"  {fact}", markup=False)
    kept = part.kept_of(customer)
    if kept:
        console.print(f"  {len(kept) - 1} inputs wait behind a record that cannot be applied", style="yellow")
    _print_entries(console, "What happened", told.past)
    _print_entries(console, "What comes next", told.next)


def print_upcoming(days: int) -> None:
    """Print how many touches are to come by day and channel, and how many would not be sent as things stand."""
    here = installation()
    counts: Counter[tuple[str, str]] = Counter()
    blocked: Counter[tuple[str, str]] = Counter()
    for part in all_rows(here.kafka(), here.application, here.partitions):
        now = part.meta.watermark_at_ms if part.meta else 0
        for saved in part.states().values():
            for plan in upcoming(decode_state(saved), _policies(part), now, days):
                slot = (plan.local_on.isoformat(), plan.channel.value)
                (blocked if plan.blocked_by else counts)[slot] += 1
    table = Table(title=f"the next {days} days, each touch on its customer's local day")
    for name in ("day", "channel", "to send", "would not be sent"):
        table.add_column(name, justify="left" if name in {"day", "channel"} else "right")
    for day, channel in sorted({*counts, *blocked}):
        table.add_row(day, channel, f"{counts[day, channel]:,}", f"{blocked[day, channel]:,}")
    table.add_row("all", "", f"{counts.total():,}", f"{blocked.total():,}", style="bold")
    Console().print(table)


def print_dead_letters(*, customer: str, limit: int) -> None:
    """Print the newest dead letters."""
    here = installation()
    found = dead_letters(here.kafka(), here.codec(), here.partitions, customer_id=customer)
    table = Table(title=f"{len(found)} dead letters" + (f", the newest {limit}" if len(found) > limit else ""))
    for name in ("id", "since (UTC)", "customer", "kind", "cause", "origin"):
        table.add_column(name, overflow="fold")
    for one in found[:limit]:
        table.add_row(
            one.dead_letter_id, _utc(one.dead_at_ms), one.customer_id, one.kind.value, one.cause, _origin(one)
        )
    Console().print(table)


def print_dead_letter(beginning: str) -> None:
    """Print one dead letter in full, and what to do about it."""
    here, console = installation(), Console()
    one = dead_letter(here.kafka(), here.codec(), here.partitions, beginning)
    table = Table(show_header=False, title=one.dead_letter_id)
    for name, value in (
        ("kind", one.kind.value),
        ("cause", one.cause),
        ("detail", one.detail),
        ("since (UTC)", _utc(one.dead_at_ms)),
        ("customer", one.customer_id),
        ("touch", one.touch_key),
        ("origin", _origin(one)),
        ("bytes", _bytes(one)),
    ):
        if value:
            table.add_row(name, Text(value))
    console.print(table)
    console.print("What to do: " + _advice(one), markup=False)


def print_quarantined() -> None:
    """Print who is on hold, why, and how much waits."""
    here = installation()
    table = Table(title="in quarantine: nothing is sent to them")
    for name in ("customer", "why", "refused record", "inputs waiting"):
        table.add_column(name, overflow="fold")
    for part in all_rows(here.kafka(), here.application, here.partitions):
        for customer, waiting in sorted(part.quarantined().items()):
            state, kept = _state(part, customer), part.kept_of(customer)
            origin = f"{kept[0].topic}, partition {kept[0].partition}, offset {kept[0].offset}" if kept else ""
            table.add_row(customer, state.hold if state else "", origin, f"{waiting - 1:,}")
    console = Console()
    console.print(table)
    if table.row_count:
        console.print(
            "`perennial dead-letters list --customer CUSTOMER` tells the cause; `perennial quarantine release`"
        )


def _state(part: PartitionRows, customer: str) -> CustomerState | None:
    saved = part.state_of(customer)
    return decode_state(saved) if saved else None


def _policies(part: PartitionRows) -> Policies:
    return decode_policies(part.meta.policies) if part.meta else Policies()


def _print_entries(console: Console, title: str, entries: tuple[Entry, ...]) -> None:
    console.print(f"[bold]{title}[/bold]")
    if not entries:
        console.print("  nothing")
        return
    table = Table.grid(padding=(0, 0, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    between = " = " if console.width >= _WIDE else "\n= "
    for entry in entries:
        table.add_row(Text(entry.local, style="cyan") + Text(between + entry.utc, style="dim"), Text(entry.what))
    console.print(table)


def _origin(one: DeadLetter) -> str:
    if not one.origin_topic:
        return ""
    return f"{one.origin_topic}, partition {one.origin_partition}, offset {one.origin_offset}"


def _bytes(one: DeadLetter) -> str:
    if one.seal_key_id:
        return f"{len(one.original_value)} bytes, sealed to key {one.seal_key_id}"
    shown = one.original_value[:_SHOWN_BYTES]
    more = "..." if len(one.original_value) > _SHOWN_BYTES else ""
    return f"{len(one.original_value)} bytes: {shown.hex(' ')}{more}" if one.original_value else ""


def _advice(one: DeadLetter) -> str:
    if one.kind is DeadLetterKind.TOUCH:
        return "mend the cause at the channel, then `perennial replay --since ...` asks the state to judge it again"
    advice = _NEXT_STEP.get(one.cause, "see `perennial quarantine list`")
    return advice.replace("CUSTOMER", one.customer_id or "CUSTOMER")


def _utc(instant_ms: int) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
