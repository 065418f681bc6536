"""C2 nothing invented and C3 nothing lost."""

import hashlib
from collections.abc import Iterator

from schemas.vocabulary import Reason
from schemas.vocabulary import Verdict as Said
from tests.oracle.bundle import InboxRow
from tests.oracle.expectation import Expectation, Verdict
from tests.oracle.outcomes import Ending, ending_of, last_decision
from tests.oracle.reasons import CONTACT_CACHE_MS, is_justified, was_completed
from tests.oracle.run import Run, touch_of
from tests.oracle.violation import Violation

REAL_CLOCK_TOLERANCE_MS = 1_000  # from the check of send-by to the last byte written
_NOT_SENDING = frozenset({Said.HELD, Said.MOVED, Said.SUPPRESSED, Said.SKIPPED, Said.EXPIRED, Said.DEAD_LETTERED})
_EXCUSES = frozenset({Ending.EXPIRED, Ending.DEAD_LETTERED, Ending.UNKNOWN})  # each is held against evidence as well


def invented(run: Run) -> Iterator[Violation]:
    """Commands and calls that no evidence calls for, forbidden ones, and strangers as recipients."""
    for row in run.strange_rows:
        yield Violation(
            check="C2", says=f"the inbox holds {row.key!r}, which no input calls for", touch=touch_of(row.key)
        )
    for strange, ordered in run.commands.items():
        if strange not in run.expected:
            customer_id = ordered[0].command.customer_id
            yield Violation(
                check="C2", says="was commanded, but no input calls for it", touch=strange, customer_id=customer_id
            )
    for touch in run.expected.values():
        rows = run.inbox.get(touch.touch, [])
        if touch.verdict is Verdict.MUST_NOT and (run.commands.get(touch.touch) or any(row.acted for row in rows)):
            yield _violation("C2", touch, "must not be sent at all, and was released")
        for row in rows:
            if not _is_to_contact_in_force(run, touch, row):
                yield _violation("C2", touch, f"row {row.seq} went to somebody who is not the contact in force")


def lost(run: Run) -> Iterator[Violation]:
    """Touches that had to be received and were not, claims without their row, rows without their claim."""
    for touch in run.expected.values():
        ending = ending_of(run, touch)
        acted = [row for row in run.inbox.get(touch.touch, ()) if row.acted]
        if touch.verdict is Verdict.MUST and _is_over(run, touch) and not acted and not _is_excused(run, touch, ending):
            yield _violation("C3", touch, f"had to be received by the end of its window, and ends as {ending}")
        if ending is Ending.SENT and not acted:
            yield _violation("C3", touch, "is claimed as sent, and the provider accepted nothing")
        if acted and ending not in {Ending.SENT, Ending.UNKNOWN}:
            yield _violation("C3", touch, f"was accepted by the provider, and ends as {ending}")
        yield from _too_late(run, touch, acted)
        yield from _unjustified(run, touch)


def _is_excused(run: Run, touch: Expectation, ending: Ending) -> bool:
    """A touch that had to leave may end otherwise when it could not be delivered; its reason is judged besides."""
    last = last_decision(run.decisions.get(touch.touch, ()))
    if last is not None and last.decision.reason is Reason.NO_USABLE_CONTACT:
        return not was_completed(run, touch, last)
    if ending in _EXCUSES:
        return True
    keys = {ordered.command.touch_key for ordered in run.commands.get(touch.touch, ())}
    refused = any(one.receipt.outcome.is_definite_refusal for key in keys for one in run.receipts.get(key, ()))
    return ending is Ending.SUPPRESSED and refused


def _too_late(run: Run, touch: Expectation, acted: list[InboxRow]) -> Iterator[Violation]:
    tolerance_ms = 0 if run.bundle.manifest.is_virtual else REAL_CLOCK_TOLERANCE_MS
    closes_ms = max(placement.window.closes_ms for placement in touch.placements)
    for row in acted:
        ordered = run.command_of(touch.touch, row.key, row.attempt)
        if ordered is not None and row.domain_ms > ordered.command.send_by_at_ms + tolerance_ms:
            late_ms = row.domain_ms - ordered.command.send_by_at_ms
            yield _violation("C3", touch, f"row {row.seq} was received {late_ms} ms after the command's send-by")
        elif row.domain_ms >= closes_ms + tolerance_ms:
            yield _violation("C3", touch, f"row {row.seq} was received {row.domain_ms - closes_ms} ms after the window")


def _unjustified(run: Run, touch: Expectation) -> Iterator[Violation]:
    for decided in run.decisions.get(touch.touch, ()):
        decision = decided.decision
        if decision.verdict in _NOT_SENDING and not is_justified(run, touch, decided):
            yield _violation("C3", touch, f"was {decision.verdict}: {decision.reason} without evidence for it")


def _is_over(run: Run, touch: Expectation) -> bool:
    return touch.is_due and touch.closes_ms <= run.bundle.manifest.horizon_ms


def _is_to_contact_in_force(run: Run, touch: Expectation, row: InboxRow) -> bool:
    known = run.contacts_at(touch.customer_id, row.received_ms, CONTACT_CACHE_MS)
    addresses = {(contact.email or "").strip().lower() for contact in known}
    if row.recipient:
        return row.recipient.strip().lower() in addresses
    return row.recipient_hash in {hashlib.sha256(address.encode()).hexdigest() for address in addresses}


def _violation(check: str, touch: Expectation, says: str) -> Violation:
    return Violation(check=check, says=says, touch=touch.touch, customer_id=touch.customer_id)
