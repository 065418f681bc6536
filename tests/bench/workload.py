"""The seeded traffic of the bench (RenewalBench W1, W3): four topics, 450 +/- 50 bytes each, the same for all."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from schemas import topics
from schemas.codec import HEADER_BYTES, Codec
from schemas.events import ContractChanged, CustomerChanged, EngagementSeen, PaymentRecorded, RequestMade
from schemas.identity import ContractId, CustomerId, EventId, PaymentId, TermId
from schemas.vocabulary import CustomerTier, EngagementKind, PaymentKind

TOPICS = (topics.CUSTOMER, topics.CONTRACT, topics.PAYMENT, topics.ENGAGEMENT)
CONTRACTS_PER_CUSTOMER = 1.3
PAYMENTS_PER_CONTRACT, ENGAGEMENTS_PER_CONTRACT = 0.2, 3.0
RECORDS_PER_CONTRACT = 1 / CONTRACTS_PER_CUSTOMER + 1 + PAYMENTS_PER_CONTRACT + ENGAGEMENTS_PER_CONTRACT
REPEATED, OUT_OF_ORDER = 0.02, 0.01
SMALLEST_BYTES, LARGEST_BYTES = 400, 500  # of Avro, after the header
EPOCH_MS = 1_790_000_000_000
FIRST_EXPIRY = date(2026, 10, 1)
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe")
ZONE_WEIGHTS = (60, 15, 10, 10, 5)
TIERS, TIER_WEIGHTS = (CustomerTier.A, CustomerTier.B, CustomerTier.C), (10, 30, 60)

Fact = CustomerChanged | ContractChanged | PaymentRecorded | EngagementSeen | RequestMade
TOPIC_OF: dict[type[Fact], str] = {
    CustomerChanged: topics.CUSTOMER,
    ContractChanged: topics.CONTRACT,
    PaymentRecorded: topics.PAYMENT,
    EngagementSeen: topics.ENGAGEMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How much traffic, and which: equal workloads give equal records, byte for byte."""

    seed: int
    records: int

    def facts(self) -> Iterator[Fact]:
        """Give exactly `records` facts in publishing order, repeats (2%) and late older versions (1%) among them."""
        rnd = random.Random(self.seed)
        contracts = max(1, round(self.records / RECORDS_PER_CONTRACT))
        customers = max(1, round(contracts / CONTRACTS_PER_CUSTOMER))
        last: Fact | None = None
        for number, kind in enumerate(_kinds(rnd, self.records, customers, contracts)):
            if last is None or rnd.random() >= REPEATED:
                last = _MAKERS[kind](rnd, _drawn(rnd, number, customers, contracts))
            yield last


def padded(codec: Codec, rnd: random.Random, fact: Fact) -> bytes:
    """Write a fact in the wire format, filled up to a size drawn from 400 to 500 bytes of Avro."""
    bare = len(codec.encode(fact)) - HEADER_BYTES
    missing = rnd.randint(SMALLEST_BYTES, LARGEST_BYTES) - bare
    note = "n" * max(0, missing - len("note") - 5)  # the map's block, lengths and key take 5 bytes beside the key
    return codec.encode(msgspec.structs.replace(fact, attributes={"note": note}))


def _kinds(rnd: random.Random, records: int, customers: int, contracts: int) -> list[int]:
    """Draw what each record is about; a kind is an index of `TOPICS`, the rest of the records is engagement."""
    payments = round(contracts * PAYMENTS_PER_CONTRACT)
    kinds = ([0] * customers + [1] * contracts + [2] * payments)[:records]
    kinds += [3] * (records - len(kinds))
    rnd.shuffle(kinds)
    return kinds


def _drawn(rnd: random.Random, number: int, customers: int, contracts: int) -> "_Identity":
    contract = rnd.randrange(contracts)
    is_late = rnd.random() < OUT_OF_ORDER
    return _Identity(
        event_id=EventId(f"e{number:09d}"),
        customer_id=CustomerId(f"customer-{contract % customers:08d}"),
        contract_id=ContractId(f"contract-{contract:08d}"),
        version=_older_version(number) if is_late else (number + 1) * 10,
        at_ms=EPOCH_MS + number * 10,
    )


def _older_version(number: int) -> int:
    return number // 2 * 10 + 1 + number % 2  # half-way back, and nobody else's: the others are multiples of ten


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    event_id: EventId
    customer_id: CustomerId
    contract_id: ContractId
    version: int
    at_ms: int


def _customer(rnd: random.Random, who: _Identity) -> CustomerChanged:
    return CustomerChanged(
        event_id=who.event_id,
        customer_id=who.customer_id,
        version=who.version,
        occurred_at_ms=who.at_ms,
        customer_tier=rnd.choices(TIERS, TIER_WEIGHTS)[0],
        zone=rnd.choices(ZONES, ZONE_WEIGHTS)[0],
        country="CN",
        locale="zh-CN",
        source="bench",
    )


def _contract(rnd: random.Random, who: _Identity) -> ContractChanged:
    expires_on = FIRST_EXPIRY + timedelta(days=rnd.randrange(365))
    return ContractChanged(
        event_id=who.event_id,
        customer_id=who.customer_id,
        contract_id=who.contract_id,
        version=who.version,
        occurred_at_ms=who.at_ms,
        starts_on=expires_on - timedelta(days=364),
        expires_on=expires_on,
        term_id="term-1",
        product_name="Flow Suite",
        amount_minor=rnd.randrange(100_000, 10_000_000),
        currency="CNY",
        modules=rnd.randrange(1, 9),
        source="bench",
    )


def _payment(rnd: random.Random, who: _Identity) -> PaymentRecorded:
    return PaymentRecorded(
        event_id=who.event_id,
        customer_id=who.customer_id,
        contract_id=who.contract_id,
        payment_id=PaymentId(f"payment-{who.event_id}"),
        version=who.version,
        occurred_at_ms=who.at_ms,
        term_id=TermId("term-1"),
        kind=PaymentKind.PAID,
        amount_minor=rnd.randrange(100_000, 10_000_000),
        currency="CNY",
        source="bench",
    )


def _engagement(rnd: random.Random, who: _Identity) -> EngagementSeen:
    return EngagementSeen(
        event_id=who.event_id,
        customer_id=who.customer_id,
        occurred_at_ms=who.at_ms,
        kind=rnd.choice((EngagementKind.OPENED, EngagementKind.LOGGED_IN, EngagementKind.USED)),
        contract_id=who.contract_id,
        source="bench",
    )


_MAKERS = (_customer, _contract, _payment, _engagement)
