"""C4: nothing twice, except what a crash or an ambiguous answer left in doubt on an at-least-once channel."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from schemas.vocabulary import Outcome
from tests.oracle.bundle import InboxRow
from tests.oracle.expectation import Expectation
from tests.oracle.reasons import is_ambiguous
from tests.oracle.run import Ordered, Run, grouped, revision_of
from tests.oracle.violation import Violation

_CLOCK_SLACK_MS = 500  # between the nemesis' stamp of a kill and the provider's stamp of a request
_CRASHES = frozenset({"kill", "pause"})
_INNOCENT = ("worker", "clock", "contacts", "redis", "balance")


def duplicated(run: Run) -> Iterator[Violation]:
    """Second accepts without an excuse, other bodies under one key, doubled commands, revisions too many."""
    excused: Counter[int] = Counter()
    for touch in run.expected.values():
        acted = [row for row in run.inbox.get(touch.touch, ()) if row.acted]
        if len(acted) > 1:
            for rows in grouped(acted, lambda row: row.key).values():
                yield from _surplus(run, touch, rows, excused)
            yield from _revisions(touch, acted)
        yield from _commands(run, touch, run.commands.get(touch.touch, ()))


def _surplus(run: Run, touch: Expectation, acted: Sequence[InboxRow], excused: "Counter[int]") -> Iterator[Violation]:
    if len({row.body_sha256 for row in acted}) > 1:
        yield _violation(touch, "was accepted twice under one key with different bodies")
    for before, row in pairwise(acted):
        if touch.delivery_class == "at_least_once" and is_ambiguous(before):
            continue
        crash = _crash_between(run, before, row)
        if crash is None or touch.delivery_class != "at_least_once":
            yield _violation(touch, f"row {row.seq} was accepted although row {before.seq} already was")
            continue
        excused[crash] += 1
        if excused[crash] > run.bundle.manifest.in_flight:
            yield _violation(touch, f"row {row.seq} is one surplus more than a crash can leave in doubt")


def _crash_between(run: Run, before: InboxRow, row: InboxRow) -> int | None:
    """Number the crash of a channel at which the first accept was in doubt: received, and no receipt committed yet."""
    receipts = [
        one.appended_at_ms
        for one in run.receipts.get(before.key, ())
        if one.receipt.outcome in {Outcome.ACCEPTED, Outcome.DELIVERED} and one.receipt.attempt == before.attempt
    ]
    for number, crash in enumerate(run.bundle.nemesis):
        is_channel = crash.kind in _CRASHES and not crash.target.startswith(_INNOCENT)
        is_between = before.received_ms - _CLOCK_SLACK_MS <= crash.to_ms and crash.from_ms <= row.received_ms
        if is_channel and is_between and not any(at_ms < crash.from_ms - _CLOCK_SLACK_MS for at_ms in receipts):
            return number
    return None


def _revisions(touch: Expectation, acted: Sequence[InboxRow]) -> Iterator[Violation]:
    revisions = {revision_of(row.key) for row in acted}
    if len(revisions) > 1:
        yield _violation(touch, f"was accepted under {len(revisions)} revisions")


def _commands(run: Run, touch: Expectation, ordered: Sequence[Ordered]) -> Iterator[Violation]:
    seen: set[tuple[int, int]] = set()
    for one in ordered:
        command = one.command
        name = (command.revision, command.attempt)
        if name in seen:
            yield _violation(touch, f"attempt {command.attempt} of revision {command.revision} was commanded twice")
        elif seen and not _was_refused(run, one):
            yield _violation(touch, f"attempt {command.attempt} was commanded before a refusal of the one before")
        seen.add(name)


def _was_refused(run: Run, one: Ordered) -> bool:
    """Whether the attempt before this one (or the revision before) has a definite refusal, reported before it."""
    command = one.command
    prefix = command.touch_key.rpartition("|")[0]
    keys = [command.touch_key] + ([f"{prefix}|{command.revision - 1}"] if command.revision else [])
    return any(
        received.receipt.outcome.is_definite_refusal and received.appended_at_ms <= one.appended_at_ms
        for key in keys
        for received in run.receipts.get(key, ())
    )


def _violation(touch: Expectation, says: str) -> Violation:
    return Violation(check="C4", says=says, touch=touch.touch, customer_id=touch.customer_id)
