"""Random histories of one customer: contracts, payments, wishes and refusals at random instants before expiry."""

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

from processors.calendar import HOUR_MS, MINUTE_MS
from processors.given import Given, Quarantined, Released
from schemas.identity import ContractId, EventId, PaymentId
from schemas.vocabulary import Channel, ContractStatus, Outcome, PaymentKind, ReceiptReason, RequestKind
from tests.builders import a_contract, a_customer, a_payment, a_request, ms

BEGIN_MS = ms("2026-06-10T00:00Z")
END_MS = ms("2026-07-12T00:00Z")
GRID_MS = 5 * MINUTE_MS
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "",
    "Mars/Olympus",
)
CONTRACTS = (ContractId("k-1"), ContractId("k-2"))
EMPTY: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something given to the customer at an instant of the grid."""

    at_ms: int
    given: Given


def instants() -> st.SearchStrategy[int]:
    """Instants of a grid of five minutes, days before to days after expiry."""
    steps = (END_MS - BEGIN_MS) // GRID_MS
    return st.integers(min_value=0, max_value=steps - 1).map(lambda step: BEGIN_MS + step * GRID_MS)


def contracts() -> st.SearchStrategy[Given]:
    """Versions of two contracts around one expiry, repriced, moved, cancelled."""
    return st.builds(
        lambda contract, version, days, amount, status: a_contract(
            contract_id=contract,
            version=version,
            expires_on=date(2026, 6, 30) + timedelta(days=days),
            amount_minor=amount,
            status=status,
            event_id=EventId(f"{contract}-{version}-{days}-{amount}-{status.value}"),
        ),
        st.sampled_from(CONTRACTS),
        st.integers(1, 4),
        st.integers(-9, 7),
        st.sampled_from([1_000, 2_000]),
        st.sampled_from([ContractStatus.ACTIVE] * 4 + [ContractStatus.CANCELLED, ContractStatus.SUPERSEDED]),
    )


def customers() -> st.SearchStrategy[Given]:
    """Versions of the customer: other zones, with and without an address."""
    return st.builds(
        lambda version, zone, is_reachable: a_customer(
            version=version, zone=zone, reachable=(Channel.EMAIL,) if is_reachable else ()
        ),
        st.integers(1, 4),
        st.sampled_from(ZONES),
        st.sampled_from([True, True, True, False]),
    )


def payments() -> st.SearchStrategy[Given]:
    """Versions of two payments, parts and refunds among them."""
    return st.builds(
        lambda contract, payment, version, kind, amount: a_payment(
            contract_id=contract, payment_id=PaymentId(payment), version=version, kind=kind, amount_minor=amount
        ),
        st.sampled_from(CONTRACTS),
        st.sampled_from(["p-1", "p-2"]),
        st.integers(1, 3),
        st.sampled_from([kind for kind in PaymentKind if kind is not PaymentKind.UNSPECIFIED]),
        st.sampled_from([500, 1_000]),
    )


def wishes() -> st.SearchStrategy[Given]:
    """Opt-outs, opt-ins and consent for one channel or all, at random event times."""
    kinds = [RequestKind.OPTED_OUT, RequestKind.OPTED_IN, RequestKind.CONSENT_GIVEN, RequestKind.CONSENT_WITHDRAWN]
    return st.builds(
        lambda kind, channel, at: a_request(kind=kind, channel=channel, occurred_at_ms=at),
        st.sampled_from(kinds),
        st.sampled_from([Channel.UNSPECIFIED, Channel.EMAIL, Channel.SMS]),
        st.integers(1, 6),
    )


def erasures() -> st.SearchStrategy[Given]:
    """Requests for erasure."""
    return st.integers(1, 3).map(lambda at: a_request(kind=RequestKind.ERASURE, occurred_at_ms=at))


def compensations() -> st.SearchStrategy[Given]:
    """An operator asking for everything lost."""
    return instants().map(lambda at: a_request(kind=RequestKind.COMPENSATION, occurred_at_ms=at, operator="o-1"))


def holds() -> st.SearchStrategy[Given]:
    """A quarantine, or its end."""
    return st.sampled_from([Quarantined(cause="invalid"), Released()])


def versioned() -> st.SearchStrategy[Given]:
    """Everything whose order of arrival must not matter."""
    return st.one_of(customers(), contracts(), payments(), wishes(), erasures())


def histories(largest: int = 8) -> st.SearchStrategy[list[Happening]]:
    """A customer with one contract known early, then anything at any time."""
    anything = st.one_of(customers(), contracts(), payments(), wishes(), compensations(), holds())
    happening = st.builds(lambda at, given: Happening(at_ms=at, given=given), instants(), anything)
    return st.tuples(contracts(), st.lists(happening, max_size=largest)).map(
        lambda drawn: [
            Happening(at_ms=BEGIN_MS, given=drawn[0]),
            *sorted(drawn[1], key=lambda one: one.at_ms),
        ]
    )


ANSWERS: tuple[tuple[Outcome, ReceiptReason] | None, ...] = (
    (Outcome.ACCEPTED, ReceiptReason.ACCEPTED),
    (Outcome.ACCEPTED, ReceiptReason.ACCEPTED),
    (Outcome.TEMPORARY_FAILURE, ReceiptReason.PROVIDER_BUSY),
    (Outcome.PERMANENT_FAILURE, ReceiptReason.PROVIDER_REFUSED),
    (Outcome.REFUSED, ReceiptReason.NO_CONTACT),
    (Outcome.REFUSED, ReceiptReason.INTENT_TOO_OLD),
    (Outcome.UNKNOWN, ReceiptReason.IN_DOUBT),
    None,
)


def delays() -> st.SearchStrategy[int]:
    """How long a channel takes to report."""
    return st.sampled_from([0, 0, GRID_MS, 2 * HOUR_MS, 30 * HOUR_MS])
