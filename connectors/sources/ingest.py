"""Rows into topics: each is parsed, what names a person is split off and sealed (law 7), both in one transaction.

Running the same file twice is harmless: versions decide, and event ids come from the content.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import msgspec

from connectors.sources.rows import BadRow, Row
from schemas import topics
from schemas.errors import PerennialError
from schemas.events import (
    ContractChanged,
    CustomerChanged,
    EngagementSeen,
    PaymentRecorded,
    RequestMade,
)
from schemas.outputs import ContactChanged, ContactKeyWrapped
from schemas.vocabulary import Channel

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


class Outlet(Protocol):
    """Where records go, a transaction at a time."""

    def begin(self) -> None:
        """Open a transaction."""

    def produce(self, topic: str, key: bytes, value: bytes) -> None:
        """Put one record into it."""

    def commit(self) -> None:
        """Make all of it visible at once."""

    def abort(self) -> None:
        """Forget all of it."""


class Sealer(Protocol):
    """What encrypts a contact under the customer's own key."""

    def seal(self, customer: CustomerChanged, contact: Mapping[str, str]) -> Iterable[msgspec.Struct]:
        """Give the contact record, and the wrapped key first when the customer has none yet."""


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
        outlet.begin()
        try:
            for row in chunk:
                _take(row, ingestion, outlet, reject, account)
        except BaseException:
            outlet.abort()
            raise
        outlet.commit()
        yield account


def records_of(fields: Mapping[str, object], ingestion: Ingestion) -> tuple[msgspec.Struct, ...]:
    """Parse one row into its event and, where it names a person, the sealed contact.

    Raises:
        PerennialError, ValueError: the row is no record of ours; the message says which field.
    """
    contact = _contact(fields)
    bare = {name: value for name, value in fields.items() if name != _CONTACT}
    event = ingestion.parse(bare)
    if contact is None:
        return (event,)
    if not isinstance(event, CustomerChanged):
        raise ValueError("only a customer row may carry a contact")  # noqa: TRY004  rows raise ValueError
    if "reachable" not in fields:
        reached = tuple(channel for name, channel in _REACHED_BY.items() if contact.get(name))
        event = msgspec.structs.replace(event, reachable=reached)
    return (event, *ingestion.sealer.seal(event, contact))


def _take(
    row: Row | BadRow, ingestion: Ingestion, outlet: Outlet, reject: Callable[[BadRow], None], account: Account
) -> None:
    account.rows += 1
    if isinstance(row, BadRow):
        account.rejected += 1
        reject(row)
        return
    try:
        encoded = [(record, ingestion.encode(record)) for record in records_of(row.fields, ingestion)]
    except (PerennialError, ValueError) as problem:
        account.rejected += 1
        reject(BadRow(line=row.line, problem=str(problem), text=row.text))
        return
    for record, value in encoded:
        account.records[type(record).__name__] += 1
        outlet.produce(TOPIC_OF[type(record)], _key(record), value)


def _key(record: msgspec.Struct) -> bytes:
    return str(getattr(record, "customer_id")).encode()  # noqa: B009  every record of TOPIC_OF has one


def _contact(fields: Mapping[str, object]) -> dict[str, str] | None:
    contact = fields.get(_CONTACT)
    if contact is None:
        return None
    if not isinstance(contact, Mapping):
        raise ValueError('contact: an object is expected, such as {"name": "...", "email": "..."}')  # noqa: TRY004  rows raise ValueError
    wrong = [str(name) for name, value in contact.items() if not isinstance(value, str | None)]
    if wrong:
        raise ValueError(f"contact: {', '.join(wrong)} must be text")
    return {str(name): value.strip() for name, value in contact.items() if value and value.strip()}
