"""Records and positions as both edges know them, free of any client's types."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message
from confluent_kafka import TopicPartition as ClientTopicPartition

BEGINNING, END = -2, -1  # accepted where an offset to start from is taken
NO_OFFSET = -1001  # how the client says that there is none

Row = tuple[bytes | None, bytes | None]  # key and value
Headers = tuple[tuple[str, bytes], ...]
HeaderValue = str | bytes | None
ClientHeaders = dict[str, HeaderValue] | list[tuple[str, HeaderValue]]


class TopicPartition(NamedTuple):
    """One partition of a topic; a tuple, because it is a dictionary key on hot paths and equals Faust's `TP`."""

    topic: str
    partition: int


class Position(NamedTuple):
    """The offset of the next record to read of a partition."""

    topic: str
    partition: int
    offset: int

    @property
    def tp(self) -> TopicPartition:
        """The partition without the offset."""
        return TopicPartition(self.topic, self.partition)


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record as it lies in a topic.

    `appended_at_ms` is the broker's append time where the topic stamps that, else the producer's; -1 when unknown.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    appended_at_ms: int = -1

    @property
    def tp(self) -> TopicPartition:
        """The partition it lies in."""
        return TopicPartition(self.topic, self.partition)


class GroupMetadata(NamedTuple):
    """Who commits, as a transaction wants to know it; opaque."""

    raw: Any  # the client's own type has no public constructor


def record_of(message: "Message[Any, Any]", prefix: str = "") -> Record:
    """Copy one error-free message of the client; `prefix` is taken off its topic."""
    kind, at_ms = message.timestamp()
    headers = message.headers()
    return Record(
        topic=(message.topic() or "")[len(prefix) :],
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=message.key(),
        value=message.value(),
        headers=_headers(headers) if headers else (),
        appended_at_ms=-1 if kind == TIMESTAMP_NOT_AVAILABLE else at_ms,
    )


def to_client(positions: Iterable[Position], prefix: str = "") -> list[ClientTopicPartition]:
    """Give positions as the client wants them."""
    return [ClientTopicPartition(prefix + topic, partition, offset) for topic, partition, offset in positions]


def partitions_to_client(partitions: Iterable[TopicPartition], prefix: str = "") -> list[ClientTopicPartition]:
    """Give partitions as the client wants them."""
    return [ClientTopicPartition(prefix + topic, partition) for topic, partition in partitions]


def from_client(partitions: Iterable[ClientTopicPartition], prefix: str = "") -> tuple[TopicPartition, ...]:
    """Give the client's partitions as ours."""
    return tuple(TopicPartition(one.topic[len(prefix) :], one.partition) for one in partitions)


def _headers(found: ClientHeaders) -> Headers:
    pairs = found.items() if isinstance(found, dict) else found
    return tuple((name, value.encode() if isinstance(value, str) else value or b"") for name, value in pairs)
