"""What happens to the customers of a generated world while it runs: payments, corrections, opt-outs, garbage."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from deploy.demo.people import Person
from deploy.demo.plan import DAY_MS, PUBLISHED_AT_HOURS, Fields, PlannedRow, Poison, WorldPlan, at_ms, iso
from deploy.demo.terms import Term
from schemas import topics

PAYS, PAYS_LATE, PAYS_IN_PARTS, FAILS_FIRST, REFUNDED = 0.45, 0.05, 0.05, 0.05, 0.03
CORRECTED, REPRICED, CANCELLED, STALE_COPY = 0.05, 0.05, 0.02, 0.3
OPTS_OUT, OPTS_IN_AGAIN, CONSENT_WITHDRAWN, ERASED, MOVED_ADDRESS = 0.04, 0.25, 0.01, 0.005, 0.02
POISONED = 0.01
RELEASED_AFTER_DAYS = 9
MOVED_VERSION = 2  # of the customer, once the address has changed
DAYS_CLEAR_OF_TOUCHES = 60  # before expiry: after t90 has closed, well before t30


def term_story(term: Term, plan: WorldPlan, dice: random.Random) -> Iterator[PlannedRow]:
    """What the CRM and billing say about one term during the run."""
    draw = dice.random()
    if draw < PAYS:
        yield from _paid(term, plan, dice)
    elif draw < PAYS + CORRECTED:
        yield from _changed(term, replace(term, version=2, expires_on=_shifted(term, dice)), plan, dice)
    elif draw < PAYS + CORRECTED + REPRICED:
        yield from _changed(term, replace(term, version=2, amount_minor=term.amount_minor * 11 // 10), plan, dice)
    elif draw < PAYS + CORRECTED + REPRICED + CANCELLED:
        status = dice.choice(("cancelled", "superseded", "transferred"))
        yield from _changed(term, replace(term, version=2, status=status), plan, dice)


def person_story(person: Person, own: tuple[Term, ...], plan: WorldPlan, dice: random.Random) -> Iterator[PlannedRow]:
    """What one customer asks for during the run, and a change of address between touches."""
    draw = dice.random()
    when = _some_instant(plan, dice)
    if draw < OPTS_OUT:
        yield _request(person, "opted_out", when)
        if dice.random() < OPTS_IN_AGAIN and when + 5 * DAY_MS < plan.until_ms:
            yield _request(person, "opted_in", when + 5 * DAY_MS)
    elif draw < OPTS_OUT + CONSENT_WITHDRAWN:
        yield _request(person, "consent_withdrawn", when)
    elif draw < OPTS_OUT + CONSENT_WITHDRAWN + ERASED:
        yield _request(person, "erasure", when)
    elif draw < OPTS_OUT + CONSENT_WITHDRAWN + ERASED + MOVED_ADDRESS and person.email:
        yield from _moved_address(person, own, plan)


def poison(everybody: tuple[Person, ...], plan: WorldPlan, dice: random.Random) -> Iterator[PlannedRow | Poison]:
    """Records nobody can read: their customers are held, and every other one is released some days later."""
    victims = dice.sample(everybody, max(len(_GARBAGE), round(len(everybody) * POISONED)))
    for number, person in enumerate(victims):
        topic, value = _GARBAGE[number % len(_GARBAGE)]
        when = plan.start_ms + dice.randrange(1, plan.days // 2) * DAY_MS + PUBLISHED_AT_HOURS[0] * (DAY_MS // 24)
        yield Poison(at_ms=when, topic=topic, customer_id=person.customer_id, value=value)
        if number % 2 == 0:
            released_ms = when + min(RELEASED_AFTER_DAYS, plan.days // 3) * DAY_MS
            yield _request(person, "quarantine_release", released_ms, is_drop=True)


_GARBAGE = (
    (topics.CONTRACT, b"\x00\x00\x00"),
    (topics.PAYMENT, b'{"payment": "as JSON, not Avro"}'),
    (topics.PAYMENT, b"\x00\x7f\xff\xff\xffnobody knows this schema"),
    (topics.ENGAGEMENT, b"\x01garbage that must hold nobody"),
)


def _paid(term: Term, plan: WorldPlan, dice: random.Random) -> Iterator[PlannedRow]:
    latest = 3 if dice.random() < PAYS_LATE else -1
    when = _instant_in(plan, at_ms(term.expires_on) - 80 * DAY_MS, at_ms(term.expires_on) + latest * DAY_MS, dice)
    if when is None:
        return
    draw = dice.random()
    if draw < PAYS_IN_PARTS:
        yield _payment(term, 1, "partial", when, term.amount_minor // 2)
        when = min(when + DAY_MS, plan.until_ms - DAY_MS // 4)
    elif draw < PAYS_IN_PARTS + FAILS_FIRST:
        yield _payment(term, 1, "failed", when, 0)
        when = min(when + DAY_MS, plan.until_ms - DAY_MS // 4)
    yield _payment(term, 2, "paid", when, term.amount_minor)
    if dice.random() < REFUNDED and when + 2 * DAY_MS < plan.until_ms:
        yield _payment(term, 3, "refunded", when + 2 * DAY_MS, term.amount_minor)
        return
    yield PlannedRow(at_ms=when, fields=term.next_term().row(when))


def _changed(term: Term, changed: Term, plan: WorldPlan, dice: random.Random) -> Iterator[PlannedRow]:
    when = _some_instant(plan, dice)
    yield PlannedRow(at_ms=when, fields=changed.row(when))
    if dice.random() < STALE_COPY and when + DAY_MS < plan.until_ms:
        yield PlannedRow(at_ms=when + DAY_MS, fields=term.row(plan.start_ms))  # an old copy comes late


def _moved_address(person: Person, own: tuple[Term, ...], plan: WorldPlan) -> Iterator[PlannedRow]:
    if len(own) != 1:
        return
    when = at_ms(own[0].expires_on - timedelta(days=DAYS_CLEAR_OF_TOUCHES), PUBLISHED_AT_HOURS[-1])
    if plan.start_ms < when < plan.until_ms:
        contact = {"name": person.name, "email": person.moved().email}
        yield PlannedRow(
            at_ms=when, fields={**person.row, "version": MOVED_VERSION, "occurred_at": iso(when), "contact": contact}
        )


def _payment(term: Term, version: int, kind: str, when_ms: int, amount_minor: int) -> PlannedRow:
    fields: Fields = {
        "type": "payment",
        "customer_id": term.person.customer_id,
        "contract_id": term.contract_id,
        "payment_id": f"P-{term.contract_id}",
        "version": version,
        "occurred_at": iso(when_ms),
        "term_id": term.name,
        "kind": kind,
        "amount_minor": amount_minor,
        "currency": term.person.place.currency,
        "source": "demo-billing",
    }
    return PlannedRow(at_ms=when_ms, fields=fields)


def _request(person: Person, kind: str, when_ms: int, **more: object) -> PlannedRow:
    fields = {"type": "request", "customer_id": person.customer_id, "kind": kind, "occurred_at": iso(when_ms)}
    return PlannedRow(at_ms=when_ms, fields=fields | {"source": "demo"} | more)


def _shifted(term: Term, dice: random.Random) -> date:
    return term.expires_on + timedelta(days=dice.choice((-10, -3, 5, 12)))


def _some_instant(plan: WorldPlan, dice: random.Random) -> int:
    return plan.start_ms + dice.randrange(1, plan.days) * DAY_MS + dice.choice(PUBLISHED_AT_HOURS) * (DAY_MS // 24)


def _instant_in(plan: WorldPlan, from_ms: int, until_ms: int, dice: random.Random) -> int | None:
    """A whole instant inside both the given span and the run, None where they do not meet."""
    step_ms = DAY_MS // len(PUBLISHED_AT_HOURS)
    first = max(from_ms, plan.start_ms + DAY_MS) // step_ms
    last = min(until_ms, plan.until_ms - 2 * DAY_MS) // step_ms
    return dice.randint(first, last) * step_ms if first <= last else None
