"""C5 never early, C8 caps and C9 order."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from tests.oracle.bundle import InboxRow
from tests.oracle.calendar import local
from tests.oracle.expectation import Expectation
from tests.oracle.placements import Placement
from tests.oracle.policy import Policy
from tests.oracle.run import Ordered, Run, grouped
from tests.oracle.violation import Violation
from tests.oracle.windows import is_working

_TOLERANCE_MS = 1_000  # of the real clock after the send hours: from the check to the last byte written


class _Sent(NamedTuple):
    at_ms: int
    is_capped: bool  # exempt ones sort first: they count only against what follows them
    day: date
    touch: Expectation


def early(run: Run) -> Iterator[Violation]:
    """Commands and calls before their opening, outside the send hours, or under no tick at all (tolerance 0)."""
    for touch in run.expected.values():
        for ordered in run.commands.get(touch.touch, ()):
            yield from _early_command(run, touch, ordered)
        for row in run.inbox.get(touch.touch, ()):
            yield from _early_row(run, touch, row)


def _early_command(run: Run, touch: Expectation, ordered: Ordered) -> Iterator[Violation]:
    command = ordered.command
    opens_ms = _earliest_opening_ms(touch, command.decided_at_ms)
    if min(command.decided_at_ms, command.not_before_at_ms) < opens_ms:
        missing_ms = opens_ms - min(command.decided_at_ms, command.not_before_at_ms)
        yield _violation("C5", touch, f"was commanded {missing_ms} ms before its opening")
    elif _is_quiet(touch, command.decided_at_ms):
        yield _violation("C5", touch, "was commanded outside the send hours of the customer")
    elif run.inputs.timelines[touch.partition].at(command.decided_at_ms) is None:
        yield _violation("C5", touch, f"was commanded at {command.decided_at_ms}, which is no tick of its partition")
    elif command.send_by_at_ms > _latest_send_by_ms(touch, command.decided_at_ms):
        yield _violation("C5", touch, "may leave its channel after its window or too long after its release")


def _early_row(run: Run, touch: Expectation, row: InboxRow) -> Iterator[Violation]:
    ordered = run.command_of(touch.touch, row.key, row.attempt)
    if ordered is None:
        yield _violation("C2", touch, f"row {row.seq} was received without any command")
        return
    opens_ms = max(_earliest_opening_ms(touch, ordered.command.decided_at_ms), ordered.command.not_before_at_ms)
    if row.domain_ms < opens_ms:
        yield _violation("C5", touch, f"row {row.seq} was received {opens_ms - row.domain_ms} ms before its opening")
    elif _is_quiet(touch, row.domain_ms) and _is_quiet(touch, row.domain_ms - _tolerance_ms(run)):
        yield _violation("C5", touch, f"row {row.seq} was received outside the send hours of the customer")


def _tolerance_ms(run: Run) -> int:
    return 0 if run.bundle.manifest.is_virtual else _TOLERANCE_MS


def _in_force(touch: Expectation, now_ms: int) -> Sequence[Placement]:
    return [one for one in touch.placements if one.holds_at(now_ms)] or touch.placements[:1]


def _earliest_opening_ms(touch: Expectation, now_ms: int) -> int:
    return min(one.window.opens_ms for one in _in_force(touch, now_ms))


def _latest_send_by_ms(touch: Expectation, now_ms: int) -> int:
    return max(min(one.window.closes_ms, now_ms + one.policy.send_within_ms) for one in _in_force(touch, now_ms))


def _is_quiet(touch: Expectation, now_ms: int) -> bool:
    return all(_is_quiet_for(one, now_ms) for one in _in_force(touch, now_ms))


def _is_quiet_for(placement: Placement, now_ms: int) -> bool:
    wall, policy = local(now_ms, placement.zone), placement.policy
    return not (is_working(wall.date(), policy) and policy.send_from <= wall.time() < policy.send_until)


def over_caps(run: Run) -> Iterator[Violation]:
    """Recount the inbox: per customer, local day and sliding period, over all channels."""
    for touches in run.by_customer.values():
        sent = sorted(
            _sent(run, [run.expected[touch] for touch in touches]), key=lambda one: (one.at_ms, not one.is_capped)
        )
        if len(sent) > 1:
            yield from _over_caps(sent)


def _sent(run: Run, touches: Sequence[Expectation]) -> Iterator[_Sent]:
    for touch in touches:
        first = next((row for row in run.inbox.get(touch.touch, ()) if row.acted), None)
        if first is not None:
            ordered = run.command_of(touch.touch, first.key, first.attempt)
            at_ms = ordered.command.decided_at_ms if ordered else first.domain_ms
            zone = _in_force(touch, at_ms)[0].zone
            yield _Sent(at_ms, not touch.step.is_exempt, local(at_ms, zone).date(), touch)


def _over_caps(sent: Sequence[_Sent]) -> Iterator[Violation]:
    for index, one in enumerate(sent):
        policy: Policy = one.touch.placements[-1].policy
        before = sent[:index]
        on_day = sum(other.day == one.day for other in before)
        in_period = sum(one.at_ms - other.at_ms < policy.period_ms for other in before)
        if one.is_capped and on_day >= policy.touches_a_day:
            yield _violation("C8", one.touch, f"is touch {on_day + 1} of its customer on {one.day}")
        elif one.is_capped and in_period >= policy.touches_a_period:
            yield _violation("C8", one.touch, f"is touch {in_period + 1} of its customer within the sliding period")


def out_of_order(run: Run) -> Iterator[Violation]:
    """Within contract and term, a later step received before an earlier one."""
    by_term = grouped(run.inbox, lambda touch: (touch.contract_id, touch.term_id))
    for touches in by_term.values():
        if len(touches) > 1:
            yield from _out_of_order(run, [run.expected[touch] for touch in touches])


def _out_of_order(run: Run, touches: list[Expectation]) -> Iterator[Violation]:
    last: InboxRow | None = None
    for touch in sorted(touches, key=lambda touch: touch.step.days_before):
        first = next((row for row in run.inbox[touch.touch] if row.acted), None)
        if first is None:
            continue
        if last is not None and _moment(first) > _moment(last) and not _was_over(touch, last.domain_ms):
            yield _violation("C9", touch, f"row {first.seq} was received after row {last.seq} of a later step")
        last = first if last is None else min(first, last, key=_moment)


def _moment(row: InboxRow) -> tuple[int, int, int]:
    return row.domain_ms, row.received_ms, row.seq


def _was_over(touch: Expectation, now_ms: int) -> bool:
    """Whether the step had been closed by then, and a corrected date gave it another window later."""
    return len(touch.placements) > 1 and any(one.window.closes_ms <= now_ms for one in touch.placements)


def _violation(check: str, touch: Expectation, says: str) -> Violation:
    return Violation(check=check, says=says, touch=touch.touch, customer_id=touch.customer_id)
