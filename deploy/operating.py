"""What people on call do, as requests to the state: stop, start, release, replay; each says what became of it."""

import getpass
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from connectors.queries.changelog import rows_around
from connectors.sources.ingest import outgoing_of
from connectors.sources.publisher import Outgoing, Publisher
from connectors.sources.requests import Asker, drop_of, release_of, to_every_partition
from connectors.sources.rows import Row, read_rows
from deploy.publishing import ingestion_of
from deploy.settings import Installation, installation, now_ms
from schemas.errors import PerennialError
from schemas.vocabulary import Channel, RequestKind


class NothingToRelease(PerennialError):
    """A customer is not in quarantine, or the replacement is not one record of theirs."""


def stop_sending(channel: Channel, *, operator: str, reason: str) -> None:
    """Publish a stop to every partition."""
    _scoped(RequestKind.STOP, channel, operator=operator, reason=reason)
    Console().print(f"{_named(channel)} stopped: nothing leaves any more within seconds; `perennial start` resumes")


def start_sending(channel: Channel, *, operator: str, reason: str) -> None:
    """Publish a start to every partition."""
    _scoped(RequestKind.START, channel, operator=operator, reason=reason)
    Console().print(f"{_named(channel)} started: what is due is judged afresh at the next tick")


def release_customer(customer: str, *, replacement: Path | None, is_drop: bool, operator: str) -> None:
    """Release a customer from quarantine.

    Raises:
        NothingToRelease: the customer is not held, or the replacement is not one row of theirs.
    """
    here = installation()
    kept = rows_around(here.kafka(), here.application, here.partitions, customer).kept_of(customer)
    if not kept:
        raise NothingToRelease(f"{customer} is not in quarantine: see `perennial quarantine list`")
    asker = asker_of(operator)
    publish_all(here, _release(here, customer, asker, replacement, is_drop=is_drop))
    how = "without the refused record" if is_drop else "with the corrected record" if replacement else "as it was"
    Console().print(f"{customer} is released {how}; {len(kept) - 1} inputs that waited behind it follow in order")


def asker_of(operator: str, reason: str = "") -> Asker:
    """Who asks, now: the named operator, else the account that runs the command; a wish of nobody is not heard."""
    return Asker(operator=operator or getpass.getuser(), asked_at_ms=now_ms(), reason=reason)


def publish_all(here: Installation, records: Iterable[Outgoing]) -> None:
    """Publish requests of an operator in one transaction."""
    with Publisher(here.kafka("operator"), f"{here.application}-operator") as publisher:
        publisher.publish(records)


def _scoped(kind: RequestKind, channel: Channel, *, operator: str, reason: str) -> None:
    here = installation()
    asker = asker_of(operator, reason)
    publish_all(here, to_every_partition(kind, channel, asker, here.codec().encode, here.partitions))


def _named(channel: Channel) -> str:
    return "every channel" if channel is Channel.UNSPECIFIED else channel.value


def _release(
    here: Installation, customer: str, asker: Asker, replacement: Path | None, *, is_drop: bool
) -> tuple[Outgoing, ...]:
    encode = here.codec().encode
    if is_drop:
        return (drop_of(customer, asker, encode),)
    if replacement is None:
        return (release_of(customer, asker, encode),)
    record, *beside = _replacement(here, customer, replacement)
    return release_of(customer, asker, encode, topic=record.topic, value=record.value or b""), *beside


def _replacement(here: Installation, customer: str, path: Path) -> tuple[Outgoing, ...]:
    """Read the corrected record, and what belongs beside it: a customer's contact, the tombstones of an erasure."""
    rows = [row for row in read_rows(path) if isinstance(row, Row)]
    if len(rows) != 1:
        raise NothingToRelease(f"{path} holds {len(rows)} rows: give exactly the one that replaces the refused record")
    records = outgoing_of(rows[0], ingestion_of(here))
    if records[0].key != customer.encode():
        raise NothingToRelease(
            f"{path} is a record of {records[0].key.decode()}, not of {customer}: correct its customer_id"
        )
    return records
