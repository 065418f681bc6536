"""Wishes of operators as records: stop and start for every partition, release and compensation for one customer."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from connectors.sources.publisher import Outgoing
from schemas import topics
from schemas.events import RequestMade
from schemas.identity import CustomerId, EventId
from schemas.vocabulary import Channel, RequestKind

Encode = Callable[[msgspec.Struct], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, when and why; stamped on every request of one command."""

    operator: str
    asked_at_ms: int
    reason: str = ""


def to_every_partition(
    kind: RequestKind, channel: Channel, asker: Asker, encode: Encode, partitions: int
) -> Iterator[Outgoing]:
    """Stop or start a channel (`unspecified` = all): one copy for each partition, to be published together."""
    request = _request(kind, "", asker, channel=channel)
    value = encode(request)
    for partition in range(partitions):
        key = topics.partition_key(partition)
        yield Outgoing(topic=topics.REQUEST, key=key, value=value, partition=partition)


def release_of(customer_id: str, asker: Asker, encode: Encode, *, topic: str = "", value: bytes = b"") -> Outgoing:
    """Release a quarantined customer: re-apply with `value` of `topic` in place of the refused record, else without it.

    With neither, the refused record itself is tried again.
    """
    return _for_customer(
        _request(RequestKind.QUARANTINE_RELEASE, customer_id, asker, replacement_topic=topic, replacement=value), encode
    )


def drop_of(customer_id: str, asker: Asker, encode: Encode) -> Outgoing:
    """Release a quarantined customer and leave the refused record out for ever."""
    return _for_customer(_request(RequestKind.QUARANTINE_RELEASE, customer_id, asker, is_drop=True), encode)


def compensations_of(touches: Iterable[tuple[str, str]], asker: Asker, encode: Encode) -> Iterator[Outgoing]:
    """Ask the state to judge these (customer, touch key) again; it may decline (law 6)."""
    for customer_id, touch_key in touches:
        yield _for_customer(compensation_of(customer_id, touch_key, asker), encode)


def compensation_of(customer_id: str, touch_key: str, asker: Asker) -> RequestMade:
    """The request itself, as the state would judge it."""
    return _request(RequestKind.COMPENSATION, customer_id, asker, touch_key=touch_key)


def _for_customer(request: RequestMade, encode: Encode) -> Outgoing:
    return Outgoing(topic=topics.REQUEST, key=request.customer_id.encode(), value=encode(request))


def _request(
    kind: RequestKind,
    customer_id: str,
    asker: Asker,
    *,
    channel: Channel = Channel.UNSPECIFIED,
    touch_key: str = "",
    replacement_topic: str = "",
    replacement: bytes = b"",
    is_drop: bool = False,
) -> RequestMade:
    return RequestMade(
        event_id=EventId(str(uuid.uuid4())),
        customer_id=CustomerId(customer_id),
        occurred_at_ms=asker.asked_at_ms,
        kind=kind,
        channel=channel,
        touch_key=touch_key,
        operator=asker.operator,
        reason=asker.reason,
        source="operator",
        replacement_topic=replacement_topic,
        replacement=replacement,
        is_drop=is_drop,
    )
