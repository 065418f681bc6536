"""The contracts of a generated world: terms placed so that steps of the cadence fall inside the run."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from deploy.demo.corpus import EDITIONS, PRODUCTS, SPECIAL_TERMS
from deploy.demo.people import Person
from deploy.demo.plan import Fields, WorldPlan, iso

STEP_DAYS = (90, 30, 7, 3, 0)
MONTHLY = 0.05
NAMED_TERM = 0.5  # half of the CRM's terms have an id of their own, the others are named by their start (law 2)
_CONTRACTS_A_CUSTOMER = (1, 1, 1, 1, 1, 1, 1, 1, 2, 3)
_DAYS_OF = {"annual": 365, "monthly": 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term as the CRM knows it now; a change is a new value under the next version."""

    person: Person
    contract_id: str
    term_id: str
    version: int
    starts_on: date
    expires_on: date
    billing_cycle: str
    product_name: str
    product_edition: str
    amount_minor: int
    modules: int
    seats: int
    discount_basis_points: int
    special_terms: str
    status: str = "active"

    @property
    def name(self) -> str:
        """How a payment names this term."""
        return self.term_id or self.starts_on.isoformat()

    def row(self, occurred_at_ms: int) -> Fields:
        """The CRM's record of this version."""
        fields: dict[str, object] = {
            "type": "contract",
            "customer_id": self.person.customer_id,
            "contract_id": self.contract_id,
            "version": self.version,
            "occurred_at": iso(occurred_at_ms),
            "starts_on": self.starts_on.isoformat(),
            "expires_on": self.expires_on.isoformat(),
            "status": self.status,
            "product_name": self.product_name,
            "product_edition": self.product_edition,
            "product_type": "subscription",
            "billing_cycle": self.billing_cycle,
            "amount_minor": self.amount_minor,
            "currency": self.person.place.currency,
            "modules": self.modules,
            "seats": self.seats,
            "discount_basis_points": self.discount_basis_points,
            "special_terms": self.special_terms,
            "renewal_link": f"https://renew.example/{self.contract_id}",
            "source": "demo-crm",
        }
        return fields | ({"term_id": self.term_id} if self.term_id else {})

    def next_term(self) -> "Term":
        """The term that a renewal opens: the day after this one ends, as long again."""
        starts_on = self.expires_on + timedelta(days=1)
        return replace(
            self,
            term_id=f"{self.contract_id}/{starts_on:%Y%m%d}" if self.term_id else "",
            version=1,
            starts_on=starts_on,
            expires_on=starts_on + timedelta(days=_DAYS_OF[self.billing_cycle] - 1),
        )


def terms(plan: WorldPlan, everybody: tuple[Person, ...], dice: random.Random) -> tuple[Term, ...]:
    """Draw the contracts: at least one step of each falls on a day of the run."""
    return tuple(
        _term(f"K-{person.customer_id[2:]}-{number}", person, plan, dice)
        for person in everybody
        for number in range(1, dice.choice(_CONTRACTS_A_CUSTOMER) + 1)
    )


def _term(contract_id: str, person: Person, plan: WorldPlan, dice: random.Random) -> Term:
    cycle = "monthly" if dice.random() < MONTHLY else "annual"
    expires_on = plan.starts_on + timedelta(days=dice.randrange(-1, plan.days) + dice.choice(STEP_DAYS))
    starts_on = expires_on - timedelta(days=_DAYS_OF[cycle] - 1)
    return Term(
        person=person,
        contract_id=contract_id,
        term_id=f"{contract_id}/{starts_on:%Y%m%d}" if dice.random() < NAMED_TERM else "",
        version=1,
        starts_on=starts_on,
        expires_on=expires_on,
        billing_cycle=cycle,
        product_name=dice.choice(PRODUCTS),
        product_edition=dice.choice(EDITIONS),
        amount_minor=dice.choice((120_000, 1_200_000, 4_999, 60_000_000, 99)),
        modules=dice.randint(1, 12),
        seats=dice.randint(1, 500),
        discount_basis_points=dice.choice((0, 0, 500, 1_250)),
        special_terms=dice.choice(SPECIAL_TERMS),
    )
