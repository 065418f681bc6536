"""The one door of the core: `step(state, given, policies, now_ms) -> Step`, pure and deterministic (I8)."""

from typing import assert_never

from msgspec.structs import replace

from processors.alarms import term_alarm_ms
from processors.customers import take_customer
from processors.draft import Draft
from processors.erasure import is_forgotten
from processors.fences import changed_fences
from processors.given import Given, Quarantined, Rejudge, Released, Wake
from processors.lifecycle import take_contract
from processors.outcome import Step
from processors.payments import take_payment
from processors.policies import Policies
from processors.quarantine import quarantine, release_quarantine
from processors.receipts import take_receipt
from processors.rejudging import rejudge
from processors.requests import take_request
from processors.state import CustomerState, Term
from processors.waking import wake
from schemas.errors import InvalidRecord
from schemas.events import (
    ContractChanged,
    CustomerChanged,
    CustomerInput,
    EngagementSeen,
    PaymentRecorded,
    ReceiptGiven,
    RequestMade,
)
from schemas.identity import CustomerId


def step(state: CustomerState | None, given: Given, policies: Policies, now_ms: int) -> Step:
    """Apply one input, or judge what is due; only `Wake` yields commands and tasks (law 1).

    Args:
        state: what is known of the customer; None only with the customer's first record.
        given: a record of this customer, or an occasion of the engine's.
        policies: what the partition judges by.
        now_ms: the applied tick's for `Wake`, else the partition's watermark (0 before the first tick).

    Raises:
        InvalidRecord: the record's content breaks a rule; the engine holds its customer (law 4).
    """
    before = state if state is not None else CustomerState(customer_id=_named(given))
    draft = Draft(before, policies, now_ms)
    _apply(draft, given)
    return _finished(draft)


def _named(given: Given) -> CustomerId:
    if isinstance(given, Wake | Rejudge | Quarantined | Released):
        raise InvalidRecord("an occasion of the engine's needs the state of a customer")
    return given.customer_id


def _apply(draft: Draft, given: Given) -> None:
    match given:
        case Wake():
            wake(draft)
        case Rejudge():
            rejudge(draft)
        case Quarantined():
            quarantine(draft, given.cause)
        case Released():
            release_quarantine(draft)
        case _:
            _check_customer(draft, given)
            _take(draft, given)


def _take(draft: Draft, record: CustomerInput) -> None:
    match record:
        case CustomerChanged():
            take_customer(draft, record)
        case ContractChanged():
            take_contract(draft, record)
        case PaymentRecorded():
            take_payment(draft, record)
        case ReceiptGiven():
            take_receipt(draft, record)
        case RequestMade():
            take_request(draft, record)
        case EngagementSeen():
            pass  # no rule of this release looks at engagement
        case _:
            assert_never(record)


def _check_customer(draft: Draft, record: CustomerInput) -> None:
    if not record.customer_id or record.customer_id != draft.before.customer_id:
        raise InvalidRecord(
            f"record {record.event_id} names customer {record.customer_id!r} under the key of another: send it again"
        )


def _finished(draft: Draft) -> Step:
    state = draft.state
    if draft.changed or draft.is_reviewed or state is not draft.before:
        terms = _with_alarms(draft)
        alarm = min((term.alarm_at_ms for term in terms if term.alarm_at_ms is not None), default=None)
        after = replace(state, terms=terms, alarm_at_ms=alarm)
        state = draft.before if after == draft.before else after
    fences, lifted = changed_fences(draft, state) if state is not draft.before else ((), ())
    return Step(
        state=state,
        alarm_at_ms=state.alarm_at_ms,
        commands=tuple(draft.commands),
        decisions=tuple(draft.decisions),
        tasks=tuple(draft.tasks),
        fences=fences,
        lifted=lifted,
        dead_letters=tuple(draft.dead_letters),
    )


def _with_alarms(draft: Draft) -> tuple[Term, ...]:
    terms = []
    for term in draft.terms():
        if draft.state.erasure is not None and is_forgotten(term):
            continue
        is_stale = draft.is_reviewed or (term.contract_id, term.term_id) in draft.changed
        terms.append(_with_alarm(draft, term) if is_stale else term)
    if len(terms) > len(draft.before.terms):
        terms.sort(key=_name)
    return tuple(terms)


def _with_alarm(draft: Draft, term: Term) -> Term:
    known_ms = term.alarm_at_ms
    found_ms = None if draft.is_silenced else term_alarm_ms(draft.state, term, draft.policies, draft.now_ms)
    if found_ms is not None and known_ms is not None and found_ms <= draft.now_ms >= known_ms:
        return term  # due already: since when, stays visible as lateness
    return term if found_ms == known_ms else replace(term, alarm_at_ms=found_ms)


def _name(term: Term) -> tuple[str, str]:
    return term.contract_id, term.term_id
