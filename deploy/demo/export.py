"""A world from a seed: a CRM-like export with all its faults, what happens later, and the truth about contacts."""

import random
from collections.abc import Iterator
from itertools import groupby

from deploy.demo.people import Person, people
from deploy.demo.plan import DAY_MS, Fields, PlannedRow, Poison, World, WorldPlan
from deploy.demo.story import MOVED_VERSION, person_story, poison, term_story
from deploy.demo.terms import Term, terms

REPEATED = 0.05  # exports hold rows twice
KNOWN_AFTER_DAYS = 2
_SPOILT = (
    '{"type": "customer", "customer_id": "C-cut-off", "version": 1, "occurred_at": "2026-02-',
    '{"type": "customer", "customer_id": "C-no-version", "occurred_at": "2026-02-02T00:00:00Z"}',
    "Kundenliste Stand Februar",
)


def generate(plan: WorldPlan) -> World:
    """Build the world of a plan; the same plan gives the same world, byte for byte."""
    dice = random.Random(plan.seed)
    everybody = people(plan, dice)
    contracts = terms(plan, everybody, dice)
    schedule = sorted(_later(everybody, contracts, plan, dice), key=lambda one: one.at_ms)
    return World(
        plan=plan,
        files={
            "customers.jsonl": _with_repeats([one.row for one in everybody if one.is_known_at_start], dice),
            "contracts.csv": _with_repeats([one.row(plan.start_ms) for one in contracts], dice),
        },
        spoilt_lines=_SPOILT,
        schedule=tuple(schedule),
        contacts=tuple(_contacts(everybody, schedule)),
    )


def _later(
    everybody: tuple[Person, ...], contracts: tuple[Term, ...], plan: WorldPlan, dice: random.Random
) -> Iterator[PlannedRow | Poison]:
    own = {name: tuple(group) for name, group in groupby(contracts, lambda one: one.person.customer_id)}
    for person in everybody:
        if not person.is_known_at_start:
            yield PlannedRow(at_ms=plan.start_ms + KNOWN_AFTER_DAYS * DAY_MS, fields=person.row)
        yield from person_story(person, own[person.customer_id], plan, dice)
    for term in contracts:
        yield from term_story(term, plan, dice)
    yield from poison(everybody, plan, dice)


def _with_repeats(rows: list[Fields], dice: random.Random) -> tuple[Fields, ...]:
    return (*rows, *(row for row in rows if dice.random() < REPEATED))


def _contacts(everybody: tuple[Person, ...], schedule: list[PlannedRow | Poison]) -> Iterator[Fields]:
    brought = [one.fields for one in schedule if isinstance(one, PlannedRow) and one.brings_contact]
    known = {(fields["customer_id"], fields["version"]) for fields in brought}
    for person in everybody:
        yield person.contact(1)
        if (person.customer_id, MOVED_VERSION) in known:
            yield person.moved().contact(MOVED_VERSION)
