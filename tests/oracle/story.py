"""The full story of one touch in order: inputs, decisions, commands, calls, faults."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from schemas.outputs import SendTouch
from tests.oracle.expectation import TouchId
from tests.oracle.facts import Fact
from tests.oracle.run import Run

_TELLING = (
    "kind",
    "status",
    "version",
    "amount_minor",
    "currency",
    "expires_on",
    "zone",
    "payment_id",
    "channel",
    "reachable",
)


def story_of(run: Run, touch: TouchId) -> list[str]:
    """Tell in lines, ordered by wall time, everything that touched one touch; without names or addresses."""
    told = sorted(_told(run, touch), key=lambda line: line[0])
    lines = [f"{_utc(at_ms)}  {says}" for at_ms, says in told]
    expected = run.expected.get(touch)
    if expected is None:
        return [*lines, "expected: nothing; no input calls for this touch"]
    windows = "; ".join(
        f"{_utc(one.window.opens_ms)} to {_utc(one.window.closes_ms)} ({one.zone})" for one in expected.placements
    )
    return [f"expected: {expected.verdict}, window {windows}, partition {expected.partition}", *lines]


def _told(run: Run, touch: TouchId) -> Iterator[tuple[int, str]]:
    expected = run.expected.get(touch)
    customer = run.inputs.customers.get(expected.customer_id) if expected else None
    for fact in customer.unrolled.facts if customer else ():
        if _concerns(fact, touch):
            yield fact.appended_at_ms, f"input     {_fact(fact)}"
    for span in expected.blockers if expected else ():
        yield (
            span.raised_at_ms,
            f"blocked   {span.kind} from {_utc(span.certain_from_ms)} to {_utc(span.certain_to_ms)}",
        )
    for decided in run.decisions.get(touch, ()):
        decision = decided.decision
        said = f"{decision.verdict}: {decision.reason} at {_utc(decision.decided_at_ms)}"
        name = f"revision {decision.revision} attempt {decision.attempt}"
        yield decided.appended_at_ms, f"decision  {said}, {name} (offset {decided.offset})"
    for ordered in run.commands.get(touch, ()):
        yield ordered.appended_at_ms, f"command   {_command(ordered.command)} (offset {ordered.offset})"
    keys = {ordered.command.touch_key for ordered in run.commands.get(touch, ())}
    for received in (one for key in keys for one in run.receipts.get(key, ())):
        receipt = received.receipt
        yield received.appended_at_ms, f"receipt   {receipt.outcome}: {receipt.reason}, attempt {receipt.attempt}"
    yield from _calls_and_faults(run, touch)


def _calls_and_faults(run: Run, touch: TouchId) -> Iterator[tuple[int, str]]:
    rows = run.inbox.get(touch, [])
    for row in rows:
        said = f"{'accepted' if row.acted else 'not accepted'}, {row.fault or 'no fault'}, answered {row.answered_code}"
        name = f"row {row.seq} attempt {row.attempt}"
        yield row.received_ms, f"inbox     {name} {said}, domain time {_utc(row.domain_ms)}"
    if rows:
        for fault in run.bundle.nemesis:
            if fault.from_ms - 60_000 <= rows[-1].received_ms and rows[0].received_ms <= fault.to_ms + 60_000:
                yield fault.from_ms, f"fault     {fault.kind} of {fault.target} until {_utc(fault.to_ms)}"


def _concerns(fact: Fact, touch: TouchId) -> bool:
    return getattr(fact.record, "contract_id", "") in {"", touch.contract_id}


def _fact(fact: Fact) -> str:
    fields = msgspec.structs.asdict(fact.record)
    told = " ".join(f"{name}={fields[name]}" for name in _TELLING if name in fields)
    return f"{fact.topic} offset {fact.offset} {told}; certain from {_utc(fact.certain_ms)}"


def _command(command: SendTouch) -> str:
    return (
        f"revision {command.revision} attempt {command.attempt} decided {_utc(command.decided_at_ms)} "
        f"send by {_utc(command.send_by_at_ms)}, contract version {command.contract_version}"
    )


def _utc(at_ms: int) -> str:
    if not 0 <= at_ms < 1 << 48:
        return "never"
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
