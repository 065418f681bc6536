"""Waiting for what a request leads to: a customer topic read from where it ended before the request."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from schemas.codec import Codec
from schemas.transport.positions import Positions
from schemas.transport.reader import PartitionReader
from schemas.transport.records import Position, TopicPartition
from schemas.transport.settings import KafkaSettings

_Record = TypeVar("_Record", bound=msgspec.Struct)
_LOOK_MS = 200


def ends_of(settings: KafkaSettings, topic: str, partitions: int) -> Mapping[TopicPartition, int]:
    """Where a topic ends now: what comes later is read from here."""
    return Positions(settings).end_offsets(TopicPartition(topic, partition) for partition in range(partitions))


def follow(
    settings: KafkaSettings,
    codec: Codec,
    ends: Mapping[TopicPartition, int],
    kind: type[_Record],
    is_enough: Callable[[list[_Record]], bool],
    *,
    within_ms: int,
) -> list[_Record]:
    """Collect the records after `ends` until they are enough, at most so long; the caller judges what is missing."""
    decode, found = codec.decoder(kind), list[_Record]()
    deadline = time.monotonic() + within_ms / 1000
    with PartitionReader(settings) as reader:
        reader.assign(Position(tp.topic, tp.partition, offset) for tp, offset in ends.items())
        while not is_enough(found) and time.monotonic() < deadline:
            found += (decode(record.value) for record in reader.poll(within_ms=_LOOK_MS) if record.value)
    return found
