"""Whether a reason not to send holds on evidence, one small function a reason; an unjustified one is a loss."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from schemas.events import CustomerChanged
from schemas.vocabulary import Reason
from tests.oracle.bundle import InboxRow
from tests.oracle.calendar import add_days, local
from tests.oracle.expectation import Expectation
from tests.oracle.facts import Fact
from tests.oracle.placements import Placement
from tests.oracle.run import Decided, Run
from tests.oracle.windows import is_working

UNHARMED_MS = 120_000  # less unharmed time than this in a window excuses an expiry
CONTACT_CACHE_MS = 15 * 60_000
ACCEPTED = 250
_PLAUSIBLE_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")

Judge = Callable[[Run, Expectation, Decided], bool]


def is_justified(run: Run, touch: Expectation, decided: Decided) -> bool:
    """Whether the evidence bears out the reason that this decision gives."""
    judge = _JUDGES.get(decided.decision.reason)
    return judge is not None and judge(run, touch, decided)


def rows_refused(run: Run, touch: Expectation) -> list[InboxRow]:
    """Requests of a touch that the provider did not accept."""
    return [row for row in run.inbox.get(touch.touch, ()) if not row.acted]


def is_ambiguous(row: InboxRow) -> bool:
    """Whether the provider accepted and its client could not know."""
    return row.acted and row.answered_code != ACCEPTED


def has_usable_contact(run: Run, customer_id: str, wall_ms: int) -> bool:
    """Whether every contact that was in force then has an address that may be one."""
    known = run.contacts_at(customer_id, wall_ms, CONTACT_CACHE_MS)
    return bool(known) and all(_PLAUSIBLE_ADDRESS.fullmatch((one.email or "").strip()) for one in known)


def was_completed(run: Run, touch: Expectation, lacking: Decided) -> bool:
    """Whether a newer record of the customer came with a usable contact, and with unharmed time left to send it."""
    for fact in _newer_customers(run, touch, lacking.appended_at_ms):
        if has_usable_contact(run, touch.customer_id, fact.appended_at_ms + CONTACT_CACHE_MS):
            from_ms = max(fact.certain_ms, lacking.decision.decided_at_ms)
            return any(_unharmed_ms(run, touch, _from(one, from_ms)) >= UNHARMED_MS for one in touch.placements)
    return False


def may_be_undone(run: Run, touch: Expectation, lacking: Decided, later: Decided) -> bool:
    """Whether a newer record of the customer, come since the attempt, lets a later decision replace `no contact`."""
    ordered = [one.appended_at_ms for one in run.commands.get(touch.touch, ())]
    since_ms = max((at_ms for at_ms in ordered if at_ms < lacking.appended_at_ms), default=lacking.appended_at_ms)
    return any(fact.appended_at_ms <= later.appended_at_ms for fact in _newer_customers(run, touch, since_ms))


def _newer_customers(run: Run, touch: Expectation, since_ms: int) -> Iterator[Fact]:
    newest = -1
    for fact in run.inputs.customers[touch.customer_id].unrolled.facts:
        if isinstance(record := fact.record, CustomerChanged) and record.version > newest:
            newest = record.version
            if fact.appended_at_ms > since_ms:
                yield fact


def _from(placement: Placement, from_ms: int) -> Placement:
    return replace(placement, certain_from_ms=max(placement.certain_from_ms, from_ms))


def _by_blocker(kind: str) -> Judge:
    def judge(_: Run, touch: Expectation, decided: Decided) -> bool:
        return any(
            span.kind == kind
            and span.raised_at_ms <= decided.appended_at_ms
            and span.possible_to_ms > decided.decision.decided_at_ms
            for span in touch.blockers
        )

    return judge


def _late(run: Run, touch: Expectation, decided: Decided) -> bool:
    """Only beside a more urgent open step, for a window already closed when it was placed, or without a step."""
    if any(one.was_closed_when_placed or one.window.opens_ms >= one.window.closes_ms for one in touch.placements):
        return True
    now_ms = decided.decision.decided_at_ms
    if touch.placements[0].possible_from_ms <= now_ms and not any(
        one.surely_holds_at(now_ms) for one in touch.placements
    ):
        return True  # a policy has dropped the step
    return any(
        rival.touch.contract_id == touch.touch.contract_id
        and rival.touch != touch.touch
        and rival.opens_ms <= now_ms < rival.closes_ms
        and rival.closes_ms > touch.closes_ms
        for rival in (run.expected[other] for other in run.by_customer[touch.customer_id])
    )


def _window_closed(run: Run, touch: Expectation, decided: Decided) -> bool:
    """Only when faults, blockers or refusals left too little unharmed time in the window's send hours."""
    if decided.decision.decided_at_ms < touch.closes_ms and _has_slot_after(touch, decided.decision.decided_at_ms):
        return False
    return (
        bool(rows_refused(run, touch))
        or any(_unharmed_ms(run, touch, one) < UNHARMED_MS for one in touch.placements)
        or _lacked_a_contact(run, touch, decided)
    )


def _lacked_a_contact(run: Run, touch: Expectation, decided: Decided) -> bool:
    """Whether the contact was missing until nothing of the window was left."""
    earlier = [one for one in run.decisions.get(touch.touch, ()) if one.appended_at_ms < decided.appended_at_ms]
    lacking = [one for one in earlier if one.decision.reason is Reason.NO_USABLE_CONTACT]
    return bool(lacking) and not was_completed(run, touch, lacking[-1])


def _has_slot_after(touch: Expectation, now_ms: int) -> bool:
    return any(one.slots_from(now_ms) for one in touch.placements if one.holds_at(now_ms))


def _unharmed_ms(run: Run, touch: Expectation, placement: Placement) -> int:
    harms = [(span.possible_from_ms, span.possible_to_ms) for span in touch.blockers]
    if not run.bundle.manifest.is_virtual:
        harms += [(row.from_ms, row.to_ms) for row in run.bundle.nemesis]
    total = 0
    for begins, ends in placement.slots_from(placement.certain_from_ms):
        moment = begins
        for from_ms, to_ms in sorted(harms):
            if to_ms > moment and from_ms < ends:
                total += max(0, from_ms - moment)
                moment = max(moment, to_ms)
        total += max(0, ends - moment)
    return total


def is_capped_at(run: Run, touch: Expectation, now_ms: int, by_ms: int) -> bool:
    """Whether as many of the customer's other touches were received, or were on their way by a wall instant."""
    placement = touch.placements[-1]
    policy, today = placement.policy, local(now_ms, placement.zone).date()
    others = [
        sent_ms
        for other in run.by_customer[touch.customer_id]
        if other != touch.touch and (sent_ms := _released_ms(run, run.expected[other], now_ms, by_ms)) is not None
        if now_ms - policy.period_ms < sent_ms
    ]
    on_day = sum(local(sent_ms, placement.zone).date() == today for sent_ms in others)
    return on_day >= policy.touches_a_day or len(others) >= policy.touches_a_period


def _frequency_cap(run: Run, touch: Expectation, decided: Decided) -> bool:
    return is_capped_at(run, touch, decided.decision.decided_at_ms, decided.appended_at_ms)


def _released_ms(run: Run, touch: Expectation, now_ms: int, by_ms: int) -> int | None:
    """When a touch was last released by a watermark, unless it had been refused by a wall instant."""
    before = [one for one in run.commands.get(touch.touch, ()) if one.command.decided_at_ms <= now_ms]
    if not before:
        return None
    command = before[-1].command
    is_refused = any(
        received.receipt.attempt == command.attempt
        and received.receipt.outcome.is_definite_refusal
        and received.appended_at_ms < by_ms
        for received in run.receipts.get(command.touch_key, ())
    )
    return None if is_refused else command.decided_at_ms


def _quiet_hours(_: Run, touch: Expectation, decided: Decided) -> bool:
    now_ms = decided.decision.decided_at_ms
    return any(
        not one.policy.send_from <= local(now_ms, one.zone).time() < one.policy.send_until for one in touch.placements
    )


def _not_a_working_day(_: Run, touch: Expectation, decided: Decided) -> bool:
    """The day of the decision, or the day on which the step would have fallen."""
    now_ms = decided.decision.decided_at_ms
    contracts = touch.contracts_at(now_ms, decided.appended_at_ms)
    return any(
        not is_working(day, one.policy)
        for one in touch.placements
        for day in (
            local(now_ms, one.zone).date(),
            *(add_days(contract.expires_on, -touch.step.days_before) for contract in contracts),
        )
    )


def _no_usable_contact(run: Run, touch: Expectation, decided: Decided) -> bool:
    unreachable = _by_blocker("no_usable_contact")(run, touch, decided)
    return unreachable or not has_usable_contact(run, touch.customer_id, decided.appended_at_ms)


def _refused_by_provider(run: Run, touch: Expectation, decided: Decided) -> bool:
    """The provider refused it, or nothing fit to be sent could be made of it."""
    return (
        bool(rows_refused(run, touch))
        or _cannot_be_rendered(touch, decided)
        or _is_outside_allow_list(run, touch, decided)
        or not has_usable_contact(run, touch.customer_id, decided.appended_at_ms)
    )


def _cannot_be_rendered(touch: Expectation, decided: Decided) -> bool:
    contracts = touch.contracts_at(decided.decision.decided_at_ms, decided.appended_at_ms)
    return any(not (contract.product_name.strip() and contract.currency) for contract in contracts)


def _is_outside_allow_list(run: Run, touch: Expectation, decided: Decided) -> bool:
    allowed = run.bundle.manifest.allow_list
    addresses = run.contacts_at(touch.customer_id, decided.appended_at_ms, CONTACT_CACHE_MS)
    return bool(allowed) and not any((one.email or "").lower() in allowed for one in addresses)


_JUDGES: dict[Reason, Judge] = {
    Reason.STOPPED: _by_blocker("stopped"),
    Reason.QUARANTINED: _by_blocker("quarantined"),
    Reason.ERASED: _by_blocker("erased"),
    Reason.UNSUBSCRIBED: _by_blocker("unsubscribed"),
    Reason.NO_CONSENT: _by_blocker("no_consent"),
    Reason.PAID: _by_blocker("paid"),
    Reason.CONTRACT_ENDED: _by_blocker("contract_ended"),
    Reason.CONTRACT_SUPERSEDED: _by_blocker("contract_superseded"),
    Reason.CONTRACT_TRANSFERRED: _by_blocker("contract_transferred"),
    Reason.WINDOW_CLOSED: _window_closed,
    Reason.LATE: _late,
    Reason.FREQUENCY_CAP: _frequency_cap,
    Reason.QUIET_HOURS: _quiet_hours,
    Reason.NOT_A_WORKING_DAY: _not_a_working_day,
    Reason.NO_USABLE_CONTACT: _no_usable_contact,
    Reason.TEMPORARY_FAILURE: _refused_by_provider,
    Reason.PERMANENT_FAILURE: _refused_by_provider,
    Reason.RETRIES_EXHAUSTED: _refused_by_provider,
}
