"""Whether upstream puts records where their key belongs: a producer with another partitioner shows at once."""

from collections import Counter

from schemas.topics import BARRIER, PARTITION_SCOPED_KEY_PREFIX, POLICY
from schemas.transport.partitioner import partition_of
from schemas.transport.positions import Positions
from schemas.transport.reader import read_many_to_end
from schemas.transport.records import Record, TopicPartition
from schemas.transport.settings import KafkaSettings

_NEWEST = 200  # records looked at in each partition


def misplaced(settings: KafkaSettings, partitions: int) -> Counter[str]:
    """Count, by topic, the newest records that lie in another partition than their key's (they are re-routed)."""
    asked = [TopicPartition(topic, number) for topic in BARRIER if topic != POLICY for number in range(partitions)]
    positions = Positions(settings)
    ends, beginnings = positions.end_offsets(asked), positions.beginning_offsets(asked)
    starts = {tp: max(beginnings[tp], ends[tp] - _NEWEST) for tp in asked}
    return Counter(
        record.topic
        for batch in read_many_to_end(settings, starts)
        for record in batch
        if _is_misplaced(record, partitions)
    )


def _is_misplaced(record: Record, partitions: int) -> bool:
    key = record.key or b""
    if key == PARTITION_SCOPED_KEY_PREFIX + str(record.partition).encode():
        return False
    return bool(key) and partition_of(key, partitions) != record.partition
