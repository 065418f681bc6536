"""Rows into topics: each is parsed, what names a person is split off and sealed (law 7), both in one transaction.

Running the same file twice is harmless: versions decide, and event ids come from the content.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Protocol

import msgspec

from connectors.sources.publisher import Outgoing, Outlet
from connectors.sources.rows import BadRow, Row
from processors.policies import Policies
from processors.step import step
from schemas import topics
from schemas.errors import PerennialError
from schemas.events import ContractChanged, CustomerChanged, EngagementSeen, PaymentRecorded, RequestMade
from schemas.json_lines import ContactDetails, parse_csv_row, parse_json_line
from schemas.outputs import ContactChanged, ContactKeyWrapped
from schemas.vocabulary import Channel, RequestKind

ROWS_A_TRANSACTION = 500
_LOOKS_LIKE_SECONDS = range(10**8, 10**11)  # 1973 to 5138 in seconds, the first days of 1970 in milliseconds
MOST_AHEAD_MS = 24 * 60 * 60 * 1_000  # clocks differ, zones are forgotten; a whole day is a wrong date
LARGEST_RECORD_BYTES = 900_000  # input topics take a mebibyte, envelope included
Published = CustomerChanged | ContractChanged | PaymentRecorded | EngagementSeen | RequestMade
TOPIC_OF: Mapping[type[msgspec.Struct], str] = {
    CustomerChanged: topics.CUSTOMER,
    ContractChanged: topics.CONTRACT,
    PaymentRecorded: topics.PAYMENT,
    EngagementSeen: topics.ENGAGEMENT,
    RequestMade: topics.REQUEST,
}
_REACHED_BY = {"email": Channel.EMAIL, "phone": Channel.SMS}
_ERASED_WITH_A_CUSTOMER = (topics.CONTACT_KEY, topics.CONTACT)


class Sealed(Protocol):
    """An encrypted contact and the wrapped key that opens it."""

    @property
    def contact(self) -> ContactChanged:
        """The record of the contact topic."""

    @property
    def key(self) -> ContactKeyWrapped:
        """The record of the key topic."""


class Sealer(Protocol):
    """What encrypts a contact under the customer's own key."""

    def seal(
        self, *, customer_id: str, version: int, occurred_at_ms: int, event_id: str, fields: Mapping[str, str]
    ) -> Sealed:
        """Seal the clear fields of one contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """What it takes to turn a row into records; `record` names the type of CSV rows that have no column `type`.

    A request dated more than a day after `now_ms` is refused: the newest wish wins, and this one would for long. None
    only where time is virtual and a schedule runs ahead of it.
    """

    encode: Callable[[msgspec.Struct], bytes]
    sealer: Sealer
    now_ms: int | None
    record: str = ""


@dataclass(slots=True, kw_only=True)
class Account:
    """How far an ingestion has come."""

    rows: int = 0
    records: Counter[str] = field(default_factory=Counter)
    rejected: int = 0


def ingest(
    rows: Iterable[Row | BadRow], ingestion: Ingestion, outlet: Outlet, reject: Callable[[BadRow], None]
) -> Iterator[Account]:
    """Publish all rows, a transaction for every few hundred; yields the account after each commit.

    A row that cannot be a record is handed to `reject` and counted; the others go on.
    """
    account, source = Account(), iter(rows)
    while chunk := list(islice(source, ROWS_A_TRANSACTION)):
        outgoing = [one for row in chunk for one in _taken(row, ingestion, reject, account)]
        if outgoing:
            outlet.publish(outgoing)
        account.records.update(one.topic for one in outgoing)
        yield account


def outgoing_of(row: Row, ingestion: Ingestion) -> tuple[Outgoing, ...]:
    """Turn one row into the records that must become visible together.

    Raises:
        PerennialError, ValueError: the row is no record that may be published; the message says which field.
    """
    read = parse_json_line(row.text) if row.cells is None else parse_csv_row(row.cells, record=ingestion.record)
    if read.contact is None or not isinstance(read.record, CustomerChanged):
        return _sized(_outgoing(read.record, ingestion), *_erased(read.record))
    customer = _reachable(read.record, read.contact, row)
    return _sized(_outgoing(customer, ingestion), *_sealed(customer, read.contact, ingestion))


def _sized(*outgoing: Outgoing) -> tuple[Outgoing, ...]:
    """The broker would refuse the whole transaction for one record too large."""
    largest = max(len(one.key) + len(one.value or b"") for one in outgoing)
    if largest > LARGEST_RECORD_BYTES:
        raise ValueError(f"the record takes {largest} bytes, {LARGEST_RECORD_BYTES} are allowed: shorten its texts")
    return outgoing


def _taken(
    row: Row | BadRow, ingestion: Ingestion, reject: Callable[[BadRow], None], account: Account
) -> tuple[Outgoing, ...]:
    account.rows += 1
    try:
        if isinstance(row, Row):
            return outgoing_of(row, ingestion)
    except (PerennialError, ValueError) as problem:
        row = BadRow(line=row.line, problem=str(problem), text=row.text)
    account.rejected += 1
    reject(row)
    return ()


def _reachable(customer: CustomerChanged, contact: ContactDetails, row: Row) -> CustomerChanged:
    """What the core may know of a contact: the channels it opens, unless the CRM states them itself."""
    is_stated = bool(row.cells.get("reachable")) if row.cells is not None else '"reachable"' in row.text
    if is_stated:
        return customer
    reached = tuple(channel for name, channel in _REACHED_BY.items() if getattr(contact, name).strip())
    return msgspec.structs.replace(customer, reachable=reached)


def _sealed(customer: CustomerChanged, contact: ContactDetails, ingestion: Ingestion) -> tuple[Outgoing, ...]:
    sealed = ingestion.sealer.seal(
        customer_id=customer.customer_id,
        version=customer.version,
        occurred_at_ms=customer.occurred_at_ms,
        event_id=customer.event_id,
        fields={name: value for name, value in asdict(contact).items() if value.strip()},
    )
    key, encode = customer.customer_id.encode(), ingestion.encode
    return (
        Outgoing(topic=topics.CONTACT_KEY, key=key, value=encode(sealed.key)),
        Outgoing(topic=topics.CONTACT, key=key, value=encode(sealed.contact)),
    )


def _outgoing(record: msgspec.Struct, ingestion: Ingestion) -> Outgoing:
    topic = TOPIC_OF.get(type(record))
    if topic is None or not isinstance(record, Published):
        raise ValueError("only customer, contract, payment, engagement and request rows are published from files")
    if not record.customer_id:
        raise ValueError("customer_id: empty; for all customers use `perennial stop` or `perennial start`")
    _check(record)
    _check_request(record, ingestion.now_ms)
    return Outgoing(topic=topic, key=record.customer_id.encode(), value=ingestion.encode(record))


def _check(record: Published) -> None:
    """What the core would refuse, and hold its customer for, is refused here, where a person still sees the line."""
    if record.occurred_at_ms in _LOOKS_LIKE_SECONDS:
        raise ValueError(f"occurred_at_ms: {record.occurred_at_ms} looks like seconds: write milliseconds")
    step(None, record, Policies(), 0)


def _check_request(record: Published, now_ms: int | None) -> None:
    """A wish of the future would beat every later one until then; one of nobody's has no effect (S02)."""
    if not isinstance(record, RequestMade):
        return
    if record.kind is RequestKind.COMPENSATION and not record.operator:
        raise ValueError("operator: empty; compensation has an effect only when it says who asks for it")
    if now_ms is None:
        return
    ahead_ms = record.occurred_at_ms - now_ms
    if ahead_ms > MOST_AHEAD_MS:
        raise ValueError(
            f"occurred_at: {ahead_ms} ms from now, which is more than a day ahead; it would beat every later wish: "
            "correct the date"
        )


def _erased(event: msgspec.Struct) -> tuple[Outgoing, ...]:
    """An erasure takes the customer's key and contact with it."""
    if not isinstance(event, RequestMade) or event.kind is not RequestKind.ERASURE:
        return ()
    key = event.customer_id.encode()
    return tuple(Outgoing(topic=topic, key=key, value=None) for topic in _ERASED_WITH_A_CUSTOMER)
