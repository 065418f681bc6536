"""How far the broker's clock is from ours: a probe record is appended, its append time read, its topic deleted."""

import time
import uuid

from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.producer import EventProducer
from schemas.transport.reader import read_to_end
from schemas.transport.records import BEGINNING, TopicPartition
from schemas.transport.settings import KafkaSettings

_WITHIN_MS = 10_000


def broker_ahead_ms(settings: KafkaSettings) -> int:
    """By how much the broker's clock is ahead of this host's, negative when behind; off by a round trip at most."""
    admin, topic = TopicAdmin(settings), f"renewal.probe-{uuid.uuid4()}.v1"
    admin.create([TopicPlan(name=topic, partitions=1, settings={"message.timestamp.type": "LogAppendTime"})])
    try:
        return _appended_at_ms(settings, topic)
    finally:
        admin.delete([topic])


def _appended_at_ms(settings: KafkaSettings, topic: str) -> int:
    producer = EventProducer(settings)
    producer.produce(topic, b"probe", b"", 0)  # the first one pays for the connection
    producer.flush(_WITHIN_MS)
    before = time.time_ns()
    producer.produce(topic, b"probe", b"", 0)
    producer.flush(_WITHIN_MS)
    halfway_ms = (before + time.time_ns()) // 2_000_000
    parts = read_to_end(settings, TopicPartition(topic, 0), BEGINNING, within_ms=_WITHIN_MS)
    appended = [record.appended_at_ms for part in parts for record in part.records]
    producer.close()
    return appended[-1] - halfway_ms
