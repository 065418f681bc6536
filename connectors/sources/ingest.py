"""Rows into topics: each is parsed, what names a person is split off and sealed (law 7), both in one transaction.

Running the same file twice is harmless: versions decide, and event ids come from the content.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import msgspec

from connectors.sources.publisher import Outgoing, Outlet
from connectors.sources.rows import BadRow, Row
from schemas import topics
from schemas.errors import PerennialError
from schemas.events import ContractChanged, CustomerChanged, EngagementSeen, PaymentRecorded, RequestMade
from schemas.outputs import ContactChanged, ContactKeyWrapped
from schemas.vocabulary import Channel, RequestKind

ROWS_A_TRANSACTION = 500
TOPIC_OF: Mapping[type[msgspec.Struct], str] = {
    CustomerChanged: topics.CUSTOMER,
    ContractChanged: topics.CONTRACT,
    PaymentRecorded: topics.PAYMENT,
    EngagementSeen: topics.ENGAGEMENT,
    RequestMade: topics.REQUEST,
    ContactChanged: topics.CONTACT,
    ContactKeyWrapped: topics.CONTACT_KEY,
}
_CONTACT = "contact"
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
    """What it takes to turn a row into records; `parse` raises a PerennialError or ValueError for a bad one."""

    parse: Callable[[Mapping[str, object]], msgspec.Struct]
    encode: Callable[[msgspec.Struct], bytes]
    sealer: Sealer


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


def outgoing_of(fields: Mapping[str, object], ingestion: Ingestion) -> tuple[Outgoing, ...]:
    """Turn one row into the records that must become visible together.

    Raises:
        PerennialError, ValueError: the row is no record of ours; the message says which field.
    """
    contact = _contact(fields)
    event = ingestion.parse({name: value for name, value in fields.items() if name != _CONTACT})
    if contact is None:
        return (_outgoing(event, ingestion), *_erased(event))
    if not isinstance(event, CustomerChanged):
        raise ValueError("only a customer row may carry a contact")  # noqa: TRY004  bad rows are ValueErrors
    if "reachable" not in fields:
        reached = tuple(channel for name, channel in _REACHED_BY.items() if contact.get(name))
        event = msgspec.structs.replace(event, reachable=reached)
    sealed = ingestion.sealer.seal(
        customer_id=event.customer_id,
        version=event.version,
        occurred_at_ms=event.occurred_at_ms,
        event_id=event.event_id,
        fields=contact,
    )
    return tuple(_outgoing(record, ingestion) for record in (event, sealed.key, sealed.contact))


def _taken(
    row: Row | BadRow, ingestion: Ingestion, reject: Callable[[BadRow], None], account: Account
) -> tuple[Outgoing, ...]:
    account.rows += 1
    try:
        if isinstance(row, Row):
            return outgoing_of(row.fields, ingestion)
    except (PerennialError, ValueError) as problem:
        row = BadRow(line=row.line, problem=str(problem), text=row.text)
    account.rejected += 1
    reject(row)
    return ()


def _outgoing(record: msgspec.Struct, ingestion: Ingestion) -> Outgoing:
    customer_id = str(getattr(record, "customer_id", ""))
    if not customer_id:
        raise ValueError("customer_id is missing")
    return Outgoing(topic=TOPIC_OF[type(record)], key=customer_id.encode(), value=ingestion.encode(record))


def _erased(event: msgspec.Struct) -> tuple[Outgoing, ...]:
    """An erasure takes the customer's key and contact with it."""
    if not isinstance(event, RequestMade) or event.kind is not RequestKind.ERASURE:
        return ()
    key = event.customer_id.encode()
    return tuple(Outgoing(topic=topic, key=key, value=None) for topic in _ERASED_WITH_A_CUSTOMER)


def _contact(fields: Mapping[str, object]) -> dict[str, str] | None:
    contact = fields.get(_CONTACT)
    if contact is None:
        return None
    if not isinstance(contact, Mapping):
        raise ValueError('contact: an object is expected, such as {"name": "...", "email": "..."}')  # noqa: TRY004  as above
    wrong = [str(name) for name, value in contact.items() if not isinstance(value, str | None)]
    if wrong:
        raise ValueError(f"contact: {', '.join(wrong)} must be text")
    return {str(name): value.strip() for name, value in contact.items() if value and value.strip()}
