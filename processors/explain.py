"""Why did she get it, why not, and what comes next: a customer's timeline that a non-developer can read (P36)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from processors.calendar import local_text, utc_text
from processors.draft import zone_of
from processors.payments import is_settled
from processors.policies import Policies
from processors.reasons import sentence_for, word_for
from processors.state import AT_A_CHANNEL, CustomerState, Term
from processors.suppression import CONTACT
from processors.upcoming import Planned, upcoming
from processors.zones import is_zone
from schemas.outputs import DecisionMade
from schemas.vocabulary import Channel, Verdict

LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline; every instant is shown on the customer's clock, with its zone, and in UTC (P35)."""

    at_ms: int
    local: str
    utc: str
    what: str
    touch_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known, what happened, and what comes next."""

    customer_id: str
    zone: str
    facts: tuple[str, ...]
    past: tuple[Entry, ...]
    next: tuple[Entry, ...]

    def lines(self) -> tuple[str, ...]:
        """The whole as plain text, one line each."""
        return (
            f"Customer {self.customer_id} (times on the customer's clock: {self.zone or 'zone not known yet'})",
            *(f"  {fact}" for fact in self.facts),
            "What happened",
            *_text(self.past, "  nothing yet"),
            "What comes next",
            *_text(self.next, "  nothing is planned"),
        )


def explain(
    state: CustomerState | None, decisions: Iterable[DecisionMade], policies: Policies, now_ms: int
) -> Explanation:
    """Tell a customer's story.

    Args:
        state: from the changelog; None when the customer is unknown.
        decisions: this customer's, in any order, repeats allowed.
        policies: in force in the customer's partition.
        now_ms: the partition's watermark.
    """
    told = sorted(decisions, key=_order)
    zone = (zone_of(state, policies)[0] if state else "") or next((one.zone for one in told if is_zone(one.zone)), "")
    planned = upcoming(state, policies, now_ms, LOOK_AHEAD_DAYS) if state is not None else ()
    return Explanation(
        customer_id=state.customer_id if state is not None else (told[0].customer_id if told else ""),
        zone=zone,
        facts=tuple(map(_visible, _facts(state, policies)))
        if state is not None
        else ("nothing is known of this customer",),
        past=tuple(_past(told, zone)),
        next=(*_under_way(state, zone), *(_to_come(plan) for plan in planned)),
    )


def _facts(state: CustomerState, policies: Policies) -> Iterator[str]:
    for channel in sorted(policies.stops):
        yield f"an operator has stopped sending by {_scope(channel)}, until `perennial start`"
    if state.erasure is not None:
        yield "erased: only this mark is left"
    if state.hold:
        yield f"quarantined ({state.hold}): nothing is sent until `perennial quarantine release {state.customer_id}`"
    if state.customer is None and state.erasure is None:
        yield "no customer record yet: zone and addresses are not known"
    for wish in state.permissions:
        scope = _scope(wish.channel)
        if wish.topic == CONTACT:
            yield f"{'opted in to' if wish.is_given else 'unsubscribed from'} {scope}"
        else:
            yield f"consent {'given' if wish.is_given else 'withdrawn'} for {scope}"
    for term in state.terms:
        yield _term_fact(term)
    if state.terms and policies.current is not None:
        steps = ", ".join(f"{step.name} = {step.days}" for step in policies.current.cadence)
        yield f"reminders, by their days before the last covered day: {steps}"


def _scope(channel: Channel) -> str:
    return "every channel" if channel is Channel.UNSPECIFIED else channel.value


def _term_fact(term: Term) -> str:
    paid = "renewal paid" if is_settled(term) else "renewal not paid"
    if term.facts is None:
        return f"contract {term.contract_id}, term {term.term_id}: {paid}; the contract itself is not known yet"
    facts = term.facts
    return (
        f"contract {term.contract_id}, term {term.term_id}: {facts.status.value}, "
        f"last covered day {facts.expires_on.isoformat()}, {paid}"
    )


def _past(decisions: Iterable[DecisionMade], zone: str) -> Iterator[Entry]:
    shown: set[tuple[object, ...]] = set()
    for one in decisions:
        key = (one.touch_key, one.verdict, one.reason, one.decided_at_ms, one.attempt)
        if key not in shown:
            shown.add(key)
            yield _entry(one.decided_at_ms, one.zone if is_zone(one.zone) else zone, _told(one), one.touch_key)


def _told(one: DecisionMade) -> str:
    text = (
        f"{one.step} of contract {one.contract_id} by {one.channel.value}: "
        f"{word_for(one.verdict)}, because {sentence_for(one.reason)}"
    )
    if one.verdict in {Verdict.MOVED, Verdict.RETRIED, Verdict.HELD} and one.next_look_at_ms and is_zone(one.zone):
        text += f"; looked at again {local_text(one.next_look_at_ms, one.zone)}"
    return f"{text} (policy {one.policy_number}, attempt {one.attempt}, revision {one.revision})"


def _under_way(state: CustomerState | None, zone: str) -> Iterator[Entry]:
    for term in state.terms if state is not None else ():
        for touch in term.touches:
            if touch.stage in AT_A_CHANNEL:
                what = (
                    f"{touch.step} of contract {term.contract_id} by {touch.channel.value}: "
                    f"{word_for(touch.verdict)}, its channel has not reported yet; it may leave until this instant"
                )
                yield _entry(touch.send_by_at_ms, zone, what, "")


def _to_come(plan: Planned) -> Entry:
    what = f"{plan.step} of contract {plan.contract_id} by {plan.channel.value}"
    if plan.blocked_by is not None:
        what += f", as things stand it will not be sent, because {sentence_for(plan.blocked_by)}"
    return _entry(plan.at_ms, plan.zone, what, plan.touch_key)


def _entry(at_ms: int, zone: str, what: str, touch_key: str) -> Entry:
    return Entry(
        at_ms=at_ms,
        local=local_text(at_ms, zone) if zone else utc_text(at_ms),
        utc=utc_text(at_ms),
        what=_visible(what),
        touch_key=touch_key,
    )


def _text(entries: tuple[Entry, ...], otherwise: str) -> tuple[str, ...]:
    return tuple(f"  {entry.local} = {entry.utc}  {entry.what}" for entry in entries) or (otherwise,)


def _visible(text: str) -> str:
    """An id from upstream can neither begin a line nor steer a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _order(one: DecisionMade) -> int:
    return one.decided_at_ms
