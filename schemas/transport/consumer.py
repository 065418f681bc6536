"""A member of a consumer group whose starts are given by its owner, for the standard consume-and-produce pattern."""

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as ClientTopicPartition

from schemas.transport.deadline import until
from schemas.transport.errors import InputsLost
from schemas.transport.inbox import Inbox
from schemas.transport.records import (
    GroupMetadata,
    Position,
    Record,
    TopicPartition,
    from_client,
    partitions_to_client,
    to_client,
)
from schemas.transport.settings import KafkaSettings

OnAssign = Callable[[tuple[TopicPartition, ...]], Iterable[Position]]
OnTaken = Callable[[tuple[TopicPartition, ...]], None]
_SEEK_WITHIN_MS = 10_000
_COOPERATIVE = "cooperative-sticky"


class GroupConsumer:
    """Reads what its group gives it; the callbacks run inside `poll` and `close`, in the calling thread.

    `on_assign` says where each new partition starts (the owner has read committed positions, ledger and fences by
    then); `on_revoke` runs before an orderly move; `on_lost` when the group has already given them away. A member that
    slept may still find a move from before its sleep: a commit in `on_revoke` can fail as `OutOfGeneration`.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        group: str,
        topics: Iterable[str],
        on_assign: OnAssign,
        on_revoke: OnTaken,
        on_lost: OnTaken,
        instance_id: str | None = None,
    ) -> None:
        """Join the group with the first `poll`; `instance_id` makes the membership static."""
        static = {"group.instance.id": instance_id} if instance_id else {}
        assignor = {"partition.assignment.strategy": _COOPERATIVE}
        self._prefix = settings.topic_prefix
        self._consumer = Consumer({**settings.consumer(group), **assignor, **static})
        self._inbox = Inbox(self._consumer, f"consume as {group}", settings.topic_prefix)
        self._on_assign, self._on_revoke, self._on_lost = on_assign, on_revoke, on_lost
        self._consumer.subscribe(
            [self._prefix + topic for topic in topics],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._were_lost,
        )

    def poll(self, max_records: int, within_ms: int) -> list[Record]:
        """Wait at most `within_ms` for records, then return what is here; rebalances happen in here."""
        return self._inbox.poll(max_records, within_ms)

    def seek(self, position: Position) -> None:
        """Go on reading a partition elsewhere."""
        (moved,) = to_client([position], self._prefix)
        until(_SEEK_WITHIN_MS, f"seek {position}", lambda _left_s: self._consumer.seek(moved))
        self._inbox.expect([position])

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Bring no records of these partitions until `resume`; membership goes on as long as `poll` is called."""
        self._consumer.pause(partitions_to_client(partitions, self._prefix))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Bring records of these partitions again."""
        self._consumer.resume(partitions_to_client(partitions, self._prefix))

    def assignment(self) -> tuple[TopicPartition, ...]:
        """Return the partitions that are ours now."""
        return from_client(self._consumer.assignment(), self._prefix)

    def positions(self) -> dict[TopicPartition, int]:
        """Return the next offset of each of our partitions."""
        return dict(self._inbox.positions)

    def group_metadata(self) -> GroupMetadata:
        """Who we are in the group right now; a transaction with an older answer fails as `OutOfGeneration`."""
        return GroupMetadata(self._consumer.consumer_group_metadata())

    def close(self) -> None:
        """Leave the group; `on_revoke` runs first."""
        self._consumer.close()

    def _assigned(self, consumer: Consumer, given: list[ClientTopicPartition]) -> None:
        mine = from_client(given, self._prefix)
        positions = list(self._on_assign(mine)) if mine else []
        if {one.tp for one in positions} != set(mine):
            raise InputsLost(f"no start for {sorted(set(mine) - {one.tp for one in positions})}")
        self._inbox.expect(positions)
        consumer.incremental_assign(to_client(positions, self._prefix))

    def _revoked(self, consumer: Consumer, taken: list[ClientTopicPartition]) -> None:
        self._on_revoke(from_client(taken, self._prefix))
        self._let_go(consumer, taken)

    def _were_lost(self, consumer: Consumer, taken: list[ClientTopicPartition]) -> None:
        self._on_lost(from_client(taken, self._prefix))
        self._let_go(consumer, taken)

    def _let_go(self, consumer: Consumer, taken: list[ClientTopicPartition]) -> None:
        consumer.incremental_unassign(taken)
        self._inbox.forget(from_client(taken, self._prefix))


def unjoined_group(settings: KafkaSettings, group: str) -> GroupMetadata:
    """Stand for a group without being its member, for one whose membership another client handles.

    The broker then checks no generation: the fenced producer alone keeps zombies out (I2).
    """
    outsider: Any = Consumer(settings.consumer(group))
    try:
        return GroupMetadata(outsider.consumer_group_metadata())
    finally:
        outsider.close()
