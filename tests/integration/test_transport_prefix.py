"""A topic prefix keeps systems apart on one cluster: put on the way out, taken off on the way in, everywhere."""

import pytest

from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.consumer import GroupConsumer
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer, FencedProducer
from schemas.transport.reader import read_many_to_end
from schemas.transport.records import BEGINNING, Position, TopicPartition
from schemas.transport.settings import KafkaSettings

TOPIC = "renewal.prefixed.v1"
TP = TopicPartition(TOPIC, 0)


@pytest.fixture
def settings(bootstrap: str, prefix: str) -> KafkaSettings:
    mine = KafkaSettings(bootstrap_servers=bootstrap, topic_prefix=f"{prefix}-")
    TopicAdmin(mine).create([TopicPlan(name=TOPIC, partitions=1)])
    return mine


def test_two_systems_share_a_cluster_without_meeting(settings: KafkaSettings, bootstrap: str, prefix: str) -> None:
    other = KafkaSettings(bootstrap_servers=bootstrap, topic_prefix=f"{prefix}-other-")
    assert list(TopicAdmin(other).describe([TOPIC])) == []
    assert list(TopicAdmin(settings).describe()) == [TOPIC]
    producer = EventProducer(settings)
    producer.produce(TOPIC, b"k", b"v", 0)
    producer.flush()
    producer.close()
    assert Positions(settings).end_offsets([TP]) == {TP: 1}
    (records,) = read_many_to_end(settings, {TP: BEGINNING})
    assert [(one.topic, one.value) for one in records] == [(TOPIC, b"v")]
    raw = KafkaSettings(bootstrap_servers=bootstrap)
    assert list(TopicAdmin(raw).describe([settings.topic_prefix + TOPIC])) == [settings.topic_prefix + TOPIC]


def test_a_group_commits_under_its_prefix(settings: KafkaSettings, bootstrap: str) -> None:
    consumer = GroupConsumer(
        settings,
        group="g",
        topics=[TOPIC],
        on_assign=lambda tps: [Position(*tp, 0) for tp in tps],
        on_revoke=lambda _tps: None,
        on_lost=lambda _tps: None,
    )
    for _ in range(100):
        consumer.poll(10, 200)
        if consumer.assignment():
            break
    assert consumer.assignment() == (TP,)
    producer = FencedProducer(settings, "owner")
    producer.open()
    producer.begin()
    producer.produce(TOPIC, b"k", b"v")
    producer.send_offsets([Position(*TP, 7)], consumer.group_metadata())
    producer.commit()
    assert Positions(settings).committed("g", [TP]) == {TP: 7}
    raw = TopicPartition(settings.topic_prefix + TOPIC, 0)
    theirs = Positions(KafkaSettings(bootstrap_servers=bootstrap))
    assert theirs.committed(settings.topic_prefix + "g", [raw]) == {raw: 7}
    consumer.close()
    producer.close()
