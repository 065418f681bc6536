"""Whole topics and single customers' records, read committed and to the end that they have now."""

from collections.abc import Iterator

from schemas.transport.partitioner import partition_of
from schemas.transport.reader import read_many_to_end, read_to_end
from schemas.transport.records import BEGINNING, Record, TopicPartition
from schemas.transport.settings import KafkaSettings


def records_in(settings: KafkaSettings, topic: str, partitions: int) -> Iterator[Record]:
    """Every record of a topic; in order within a partition."""
    asked = {TopicPartition(topic, partition): BEGINNING for partition in range(partitions)}
    for batch in read_many_to_end(settings, asked):
        yield from batch


def records_of_customer(settings: KafkaSettings, topic: str, partitions: int, customer_id: str) -> Iterator[Record]:
    """A customer's records in a topic keyed by customer: one partition is read, others stay alone."""
    key = customer_id.encode()
    partition = partition_of(key, partitions)
    for part in read_to_end(settings, TopicPartition(topic, partition), BEGINNING):
        yield from (record for record in part.records if record.key == key)


def fold(rows: dict[bytes, bytes], record: Record) -> None:
    """Apply one record of a compacted topic: the last value of a key counts, a tombstone deletes it."""
    if record.key is None:
        return
    if record.value is None:
        rows.pop(record.key, None)
    else:
        rows[record.key] = record.value
