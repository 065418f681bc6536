"""Policies into force: one copy for every partition in one transaction, under a number above all before (I8)."""

import hashlib
from collections.abc import Iterator

from connectors.sources.publisher import Outgoing
from schemas import topics
from schemas.codec import Codec
from schemas.errors import PerennialError
from schemas.events import PolicyPublished
from schemas.identity import EventId
from schemas.transport.reader import read_many_to_end
from schemas.transport.records import BEGINNING, TopicPartition
from schemas.transport.settings import KafkaSettings

PUBLISHER = "policy-publisher"  # one fixed transactional id: two publishers cannot give the same number


class PolicyNumberTaken(PerennialError):
    """A policy cannot be published under a number that is not above all before."""


def latest_policy(settings: KafkaSettings, codec: Codec, partitions: int) -> PolicyPublished | None:
    """The policy with the highest number in the topic, None before the first."""
    decode = codec.decoder(PolicyPublished)
    asked = {TopicPartition(topics.POLICY, partition): BEGINNING for partition in range(partitions)}
    published = (decode(record.value) for batch in read_many_to_end(settings, asked) for record in batch)
    return max(published, key=lambda one: one.number, default=None)


def numbered(latest: PolicyPublished | None, wanted: int) -> int:
    """The number to publish under: the wanted one, or the next when none is wanted (0).

    Raises:
        PolicyNumberTaken: not above the latest; a rollback is a new number.
    """
    last = latest.number if latest else 0
    if wanted and wanted <= last:
        raise PolicyNumberTaken(f"policy {last} is in force and numbers only grow: give --number {last + 1} or none")
    return wanted or last + 1


def policy_record(content: str, *, number: int, published_at_ms: int, operator: str) -> PolicyPublished:
    """Wrap the text of a checked policy."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return PolicyPublished(
        event_id=EventId(f"policy-{number}-{digest[:12]}"),
        number=number,
        published_at_ms=published_at_ms,
        content=content,
        content_hash=digest,
        operator=operator,
    )


def to_every_partition(policy: PolicyPublished, codec: Codec, partitions: int) -> Iterator[Outgoing]:
    """One copy for each partition, to be published together."""
    value = codec.encode(policy)
    for partition in range(partitions):
        yield Outgoing(topic=topics.POLICY, key=topics.partition_key(partition), value=value, partition=partition)
