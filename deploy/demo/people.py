"""The customers of a generated world: who they are, where they live, and how (or whether) they can be reached."""

import random
from dataclasses import dataclass, replace

from deploy.demo.corpus import COMPANIES, PEOPLE, PLACES, Place
from deploy.demo.plan import Fields, WorldPlan, iso

KNOWN_LATE = 0.02  # a late bulk sync (R72)
NO_ADDRESS = 0.02  # nobody types an address for every customer (P33)
BOUNCES = 0.01
ADDRESS_BELIEVED = 0.5  # of those without: the CRM says it has one
NO_ZONE, WRONG_ZONE, FORGOTTEN = 0.03, 0.01, 0.02
_LOCAL_PARTS = ("anna", "info", "o'neill", "first.last", "a+b")
_WRONG_ZONES = ("Mars/Olympus", "GMT+25", "Asia/Peking")
_TIERS = ("a", "b", "b", "c", "c", "c")
_SEGMENTS = ("", "vip", "normal", "trial", "price_sensitive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One customer; `place` is what the CRM should know, the row may say less."""

    customer_id: str
    name: str
    email: str
    place: Place
    row: Fields
    is_known_at_start: bool

    def contact(self, version: int) -> Fields:
        """The contact in clear, for whoever judges the mails."""
        return {"customer_id": self.customer_id, "version": version, "name": self.name, "email": self.email}

    def moved(self) -> "Person":
        """The same customer under a new address (R13)."""
        return replace(self, email=f"moved.{self.email}")


def people(plan: WorldPlan, dice: random.Random) -> tuple[Person, ...]:
    """Draw all customers; ids are unique, also across nasty names."""
    return tuple(_person(number, plan, dice) for number in range(1, plan.customers + 1))


def _person(number: int, plan: WorldPlan, dice: random.Random) -> Person:
    place = dice.choices(PLACES, weights=[one.weight for one in PLACES])[0]
    customer_id, name = f"C-{number:05d}", f"{dice.choice(PEOPLE)} {number}"
    email = _email(number, dice)
    return Person(
        customer_id=customer_id,
        name=name,
        email=email,
        place=place,
        row=_row(customer_id, _called(name, email, dice), place, plan, dice),
        is_known_at_start=dice.random() >= KNOWN_LATE,
    )


def _email(number: int, dice: random.Random) -> str:
    if dice.random() < NO_ADDRESS:
        return ""
    local = "bounces" if dice.random() < BOUNCES else dice.choice(_LOCAL_PARTS)
    return f"{local}.{number}@mail{number % 7}.example"


def _called(name: str, email: str, dice: random.Random) -> dict[str, str]:
    return {"name": name, "company": dice.choice(COMPANIES)} | ({"email": email} if email else {})


def _row(customer_id: str, contact: dict[str, str], place: Place, plan: WorldPlan, dice: random.Random) -> Fields:
    row: dict[str, object] = {
        "type": "customer",
        "customer_id": customer_id,
        "version": 1,
        "occurred_at": iso(plan.start_ms),
        "customer_tier": dice.choice(_TIERS),
        "segment": dice.choice(_SEGMENTS),
        "zone": place.zone,
        "country": place.country,
        "locale": place.locale,
        "preferred_channel": "email",
        "source": "demo-crm",
        "contact": contact,
    }
    if "email" not in contact and dice.random() < ADDRESS_BELIEVED:
        row["reachable"] = ["email"]
    _forget_some(row, dice)
    return row


def _forget_some(row: dict[str, object], dice: random.Random) -> None:
    if dice.random() < NO_ZONE:
        del row["zone"]
    elif dice.random() < WRONG_ZONE:
        row["zone"] = dice.choice(_WRONG_ZONES)
    for field in ("segment", "locale", "country", "customer_tier"):
        if dice.random() < FORGOTTEN:
            del row[field]
