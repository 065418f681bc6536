"""Members of a group on real Kafka: starts by hand, orderly moves, and a zombie's transaction refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from deploy.local.probe import wait_until
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.consumer import GroupConsumer
from schemas.transport.errors import InputsLost, OutOfGeneration
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer, FencedProducer
from schemas.transport.records import BEGINNING, Position, Record, TopicPartition
from schemas.transport.settings import KafkaSettings

WITHIN_MS = 30_000


@pytest.fixture
def settings(bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=bootstrap, session_timeout_ms=2_000, max_poll_interval_ms=3_000)


@pytest.fixture
def topic(settings: KafkaSettings, prefix: str) -> Iterator[str]:
    """A topic of two partitions with one record in each."""
    admin = TopicAdmin(settings)
    admin.create([TopicPlan(name=prefix, partitions=2)])
    events = EventProducer(settings)
    for number in range(2):
        events.produce(prefix, b"c1", str(number).encode(), number)
    events.close()
    yield prefix
    admin.delete([prefix])


@dataclass
class Member:
    """One consumer with a notebook."""

    settings: KafkaSettings
    topic: str
    start: int = BEGINNING
    assigned: list[int] = field(default_factory=list)
    revoked: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.consumer = GroupConsumer(
            self.settings,
            group=self.topic,
            topics=[self.topic],
            on_assign=self.begin,
            on_revoke=lambda taken: self.revoked.extend(tp.partition for tp in taken),
            on_lost=lambda taken: self.lost.extend(tp.partition for tp in taken),
        )

    def begin(self, given: tuple[TopicPartition, ...]) -> list[Position]:
        self.assigned.extend(tp.partition for tp in given)
        return [Position(*tp, self.start) for tp in given]

    def look(self) -> list[int]:
        self.records += self.consumer.poll(100, 100)
        return sorted(tp.partition for tp in self.consumer.assignment())


@pytest.fixture
def first(settings: KafkaSettings, topic: str) -> Iterator[Member]:
    member = Member(settings, topic)
    yield member
    member.consumer.close()


def test_the_owner_says_where_each_partition_starts(first: Member) -> None:
    assert wait_until(lambda: first.look() == [0, 1] and len(first.records) == 2, within_ms=WITHIN_MS)
    assert sorted(first.assigned) == [0, 1]
    assert {record.value for record in first.records} == {b"0", b"1"}
    assert set(first.consumer.positions().values()) == {1}


def test_a_start_outside_the_log_is_lost_and_never_reset(settings: KafkaSettings, topic: str) -> None:
    member = Member(settings, topic, start=40)

    def is_refused() -> bool:
        try:
            member.look()
        except InputsLost:
            return True
        return False

    assert wait_until(is_refused, within_ms=WITHIN_MS)
    assert not member.records
    member.consumer.close()


def test_a_partition_moves_in_order_and_comes_back(first: Member, settings: KafkaSettings, topic: str) -> None:
    assert wait_until(lambda: first.look() == [0, 1], within_ms=WITHIN_MS)
    second = Member(settings, topic)
    assert wait_until(lambda: len(first.look()) == 1 and len(second.look()) == 1, within_ms=WITHIN_MS)
    assert len(first.revoked) == 1, "a cooperative move takes only what moves"
    second.consumer.close()
    assert second.revoked
    assert wait_until(lambda: first.look() == [0, 1], within_ms=WITHIN_MS)
    assert not first.lost


def test_paused_partitions_are_silent_until_resumed_and_a_seek_reads_again(first: Member) -> None:
    assert wait_until(lambda: first.look() == [0, 1] and len(first.records) == 2, within_ms=WITHIN_MS)
    mine = first.consumer.assignment()
    first.consumer.pause(mine)
    for tp in mine:
        first.consumer.seek(Position(*tp, 0))
    assert first.consumer.poll(100, 500) == []
    first.consumer.resume(mine)
    assert wait_until(lambda: first.look() == [0, 1] and len(first.records) == 4, within_ms=WITHIN_MS)


def test_a_member_that_fell_asleep_cannot_commit_for_its_successor(
    first: Member, settings: KafkaSettings, topic: str
) -> None:
    assert wait_until(lambda: first.look() == [0, 1], within_ms=WITHIN_MS)
    zombie, asleep = FencedProducer(settings, f"{topic}-first"), first.consumer.group_metadata()
    zombie.open()
    second = Member(settings, topic)
    assert wait_until(lambda: second.look() == [0, 1], within_ms=WITHIN_MS), "the first one does not poll any more"
    zombie.begin()
    with pytest.raises(OutOfGeneration):
        zombie.send_offsets([Position(topic, 0, 1)], asleep)
    zombie.abort()
    assert Positions(settings).committed(topic, [TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): None}
    with pytest.raises(OutOfGeneration):
        first.look()
    assert wait_until(lambda: first.look() != [0, 1] and len(first.lost) > 0, within_ms=WITHIN_MS)
    second.consumer.close()
