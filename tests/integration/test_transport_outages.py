"""What callers see while a broker is frozen, killed or back."""

from collections.abc import Iterator

import pytest

from deploy.local.plan import StackPlan
from deploy.local.stack import LocalStack
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.errors import CommitUnknown
from schemas.transport.producer import EventProducer, FencedProducer
from schemas.transport.reader import read_to_end
from schemas.transport.records import BEGINNING, TopicPartition
from schemas.transport.settings import KafkaSettings

TP = TopicPartition("outages", 0)


@pytest.fixture(scope="module")
def fragile() -> Iterator[LocalStack]:
    with LocalStack(StackPlan(redis=False)) as stack:
        TopicAdmin(KafkaSettings(bootstrap_servers=stack.bootstrap_servers)).create(
            [TopicPlan(name=TP.topic, partitions=1)]
        )
        yield stack


@pytest.fixture
def settings(fragile: LocalStack) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=fragile.bootstrap_servers)


def values(settings: KafkaSettings) -> list[bytes | None]:
    return [record.value for one in read_to_end(settings, TP, BEGINNING) for record in one.records]


def test_an_unanswered_commit_is_unknown_and_repeated_it_stands_once(
    fragile: LocalStack, settings: KafkaSettings
) -> None:
    producer = FencedProducer(settings, "unknown")
    producer.open()
    producer.begin()
    producer.produce(TP.topic, b"c1", b"once", 0)
    fragile.broker(0).freeze()
    try:
        with pytest.raises(CommitUnknown, match="repeat it"):
            producer.commit(within_ms=1_000)
        with pytest.raises(CommitUnknown):
            producer.commit(within_ms=500)
    finally:
        fragile.broker(0).thaw()
    producer.commit()
    assert values(settings) == [b"once"]


def test_what_was_acknowledged_survives_a_killed_broker(fragile: LocalStack, settings: KafkaSettings) -> None:
    before = values(settings)
    events = EventProducer(settings)
    events.produce(TP.topic, b"c1", b"acknowledged", 0)
    events.flush()
    fragile.broker(0).kill()
    events.produce(TP.topic, b"c1", b"queued", 0)
    fragile.broker(0).restart()
    events.flush()
    assert values(settings) == [*before, b"acknowledged", b"queued"]
