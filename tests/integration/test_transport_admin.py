"""Topics made, described, widened, trimmed and deleted on real Kafka."""

from collections.abc import Iterator

import pytest

from deploy.local.probe import wait_until
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.errors import BrokerRefused
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer
from schemas.transport.records import Position, TopicPartition
from schemas.transport.settings import KafkaSettings


@pytest.fixture
def settings(bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=bootstrap)


@pytest.fixture
def admin(settings: KafkaSettings, prefix: str) -> Iterator[TopicAdmin]:
    admin = TopicAdmin(settings)
    yield admin
    admin.delete([prefix])


def test_a_topic_is_created_once_and_left_alone_after_that(admin: TopicAdmin, prefix: str) -> None:
    plan = TopicPlan(name=prefix, partitions=3, settings={"cleanup.policy": "compact"})
    assert admin.create([plan]) == {prefix}
    assert admin.create([TopicPlan(name=prefix, partitions=9)]) == set()
    found = admin.describe([prefix, f"{prefix}-missing"])
    assert set(found) == {prefix}
    assert (found[prefix].partitions, found[prefix].settings["cleanup.policy"]) == (3, "compact")


def test_a_topic_is_widened_and_its_settings_change_one_by_one(admin: TopicAdmin, prefix: str) -> None:
    admin.create([TopicPlan(name=prefix, partitions=1, settings={"cleanup.policy": "compact"})])
    admin.add_partitions(prefix, 4)
    admin.change_settings(prefix, {"retention.ms": "60000"})
    assert wait_until(lambda: admin.describe([prefix])[prefix].settings["retention.ms"] == "60000", within_ms=10_000)
    found = admin.describe([prefix])[prefix]
    assert (found.partitions, found.settings["cleanup.policy"]) == (4, "compact")


def test_a_setting_that_kafka_does_not_know_is_refused(admin: TopicAdmin, prefix: str) -> None:
    with pytest.raises(BrokerRefused, match=f"create {prefix}"):
        admin.create([TopicPlan(name=prefix, partitions=1, settings={"no.such.setting": "1"})])


def test_deleted_records_move_the_beginning(admin: TopicAdmin, settings: KafkaSettings, prefix: str) -> None:
    admin.create([TopicPlan(name=prefix, partitions=1)])
    events = EventProducer(settings)
    for _ in range(5):
        events.produce(prefix, b"c1", b"value", 0)
    events.close()
    tp, positions = TopicPartition(prefix, 0), Positions(settings)
    admin.delete_records([Position(*tp, 3)])
    assert positions.beginning_offsets([tp]) == {tp: 3}
    assert positions.end_offsets([tp]) == {tp: 5}
    assert positions.offsets_at([tp], 0) == {tp: 3}
    assert positions.offsets_at([tp], 4_000_000_000_000) == {tp: -1}


def test_brokers_tell_the_settings_that_ours_rely_on(admin: TopicAdmin) -> None:
    (settings,) = admin.broker_settings().values()
    assert settings["transaction.max.timeout.ms"] == "60000"
    assert settings["auto.create.topics.enable"] == "false"


def test_an_unknown_topic_is_refused_at_once(settings: KafkaSettings, prefix: str) -> None:
    with pytest.raises(BrokerRefused):
        Positions(settings).end_offsets([TopicPartition(f"{prefix}-missing", 0)])
