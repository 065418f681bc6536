"""What is still to come for a customer, as it stands now: nothing here decides, the next wake judges afresh."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from processors.alarms import look_at_ms
from processors.calendar import days_later, end_of_day_ms, local_day
from processors.draft import key_of, zone_of
from processors.policies import Policies
from processors.state import CustomerState, Term
from processors.suppression import cause_against, is_reachable
from processors.windows import Window, hours_end_ms, next_opening_ms, place_windows
from schemas.identity import ContractId, CustomerId, StepName, TermId, TouchKey
from schemas.vocabulary import Channel, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One touch to come; `blocked_by` is the reason it would not be sent if nothing changes, None when it would."""

    at_ms: int
    local_on: date
    zone: str
    customer_id: CustomerId
    contract_id: ContractId
    term_id: TermId
    step: StepName
    channel: Channel
    touch_key: TouchKey
    closes_at_ms: int
    blocked_by: Reason | None = None


def upcoming(state: CustomerState, policies: Policies, from_ms: int, days: int) -> tuple[Planned, ...]:
    """List the touches that would be looked at from `from_ms` to the end of the `days`-th local day, in time order."""
    zone = zone_of(state, policies)[0]
    if not zone or state.erasure is not None:
        return ()
    until_ms = end_of_day_ms(days_later(local_day(from_ms, zone), days), zone)
    found = [plan for term in state.terms for plan in _of_term(state, term, policies, zone, from_ms)]
    return tuple(sorted((plan for plan in found if plan.at_ms < until_ms), key=_in_time_order))


def _of_term(state: CustomerState, term: Term, policies: Policies, zone: str, from_ms: int) -> Iterator[Planned]:
    policy = policies.current
    if policy is None or term.facts is None or term.is_retired:
        return
    for window in place_windows(term.facts.expires_on, zone, policy):
        channel = window.step.channel
        touch = term.touch(window.step.name)
        cause = cause_against(state, term, channel, policies)
        look_ms = look_at_ms(touch, window, cause, is_reachable=is_reachable(state, channel), now_ms=from_ms)
        if look_ms >= window.closes_at_ms:
            continue
        at_ms = max(look_ms, from_ms)
        if hours_end_ms(at_ms, zone, policy.send_hours) is None:
            at_ms = next_opening_ms(at_ms, zone, policy.send_hours)
        if at_ms < window.closes_at_ms:
            blocked_by = cause.reason if cause is not None else None
            if blocked_by is None and not is_reachable(state, channel):
                blocked_by = Reason.NO_USABLE_CONTACT
            yield _planned(state, term, window, at_ms=at_ms, zone=zone, blocked_by=blocked_by)


def _planned(
    state: CustomerState, term: Term, window: Window, *, at_ms: int, zone: str, blocked_by: Reason | None
) -> Planned:
    channel, touch = window.step.channel, term.touch(window.step.name)
    return Planned(
        at_ms=at_ms,
        local_on=local_day(at_ms, zone),
        zone=zone,
        customer_id=state.customer_id,
        contract_id=term.contract_id,
        term_id=term.term_id,
        step=StepName(window.step.name),
        channel=channel,
        touch_key=key_of(term, window.step.name, channel, touch.revision if touch is not None else 0),
        closes_at_ms=window.closes_at_ms,
        blocked_by=blocked_by,
    )


def _in_time_order(plan: Planned) -> tuple[int, str]:
    return plan.at_ms, plan.touch_key
