"""How far a system has come, seen from outside: the positions that its group has committed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from schemas.transport.records import TopicPartition, partitions_to_client
from schemas.transport.settings import KafkaSettings

ASK_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A share of all records, from 0 to 1, that commits were seen to cover, and when, in monotonic nanoseconds."""

    share: float
    at_ns: int


class Progress:
    """Asks for the committed positions of one group, as they are: a transaction under way is not waited for.

    `steps` are the looks that found more covered than the look before, in order.
    """

    def __init__(self, settings: KafkaSettings, group: str, ends: Mapping[TopicPartition, int]) -> None:
        """Make the client."""
        self.steps: list[Seen] = []
        self._group, self._ends = group, ends
        self._admin = AdminClient(settings.common())

    def look(self) -> float:
        """Ask, and give the share that is covered by now."""
        request = ConsumerGroupTopicPartitions(self._group, partitions_to_client(self._ends))
        answer = self._admin.list_consumer_group_offsets([request], require_stable=False, request_timeout=ASK_WITHIN_S)
        found = answer[self._group].result().topic_partitions or []
        covered = sum(min(max(one.offset, 0), self._ends[TopicPartition(one.topic, one.partition)]) for one in found)
        share = float(covered) / sum(self._ends.values())
        if share > (self.steps[-1].share if self.steps else 0):
            self.steps.append(Seen(share=share, at_ns=time.monotonic_ns()))
        return share
