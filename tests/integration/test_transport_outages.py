"""What callers see while a broker is frozen, killed or back."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.local.plan import StackPlan
from deploy.local.probe import wait_until
from deploy.local.stack import LocalStack
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.errors import CommitUnknown, Fenced
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer, FencedProducer
from schemas.transport.reader import read_to_end
from schemas.transport.records import BEGINNING, TopicPartition
from schemas.transport.settings import KafkaSettings

TP = TopicPartition("outages", 0)
QUICK_TIMEOUTS = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200"}


@pytest.fixture(scope="module")
def fragile() -> Iterator[LocalStack]:
    with LocalStack(StackPlan(redis=False, broker_settings=QUICK_TIMEOUTS)) as stack:
        TopicAdmin(KafkaSettings(bootstrap_servers=stack.bootstrap_servers)).create(
            [TopicPlan(name=TP.topic, partitions=1)]
        )
        yield stack


@pytest.fixture
def settings(fragile: LocalStack) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=fragile.bootstrap_servers)


def values(settings: KafkaSettings) -> list[bytes | None]:
    return [record.value for one in read_to_end(settings, TP, BEGINNING) for record in one.records]


def end_offset(settings: KafkaSettings) -> int:
    return Positions(settings).end_offsets([TP])[TP]


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


def test_a_commit_unanswered_by_a_killed_broker_is_repeated_after_its_restart(
    fragile: LocalStack, settings: KafkaSettings
) -> None:
    before, end = values(settings), end_offset(settings)
    patient = replace(settings, transaction_timeout_ms=60_000)
    producer = FencedProducer(patient, "killed")
    producer.open()
    producer.begin()
    producer.produce(TP.topic, b"c1", b"over the kill", 0)
    assert wait_until(lambda: end_offset(settings) > end, within_ms=10_000)
    fragile.broker(0).kill()
    with pytest.raises(CommitUnknown):
        producer.commit(within_ms=500)
    fragile.broker(0).restart()
    producer.commit(within_ms=60_000)
    assert values(settings) == [*before, b"over the kill"]


def test_a_transaction_older_than_its_timeout_is_refused_as_fenced(settings: KafkaSettings) -> None:
    before, end = values(settings), end_offset(settings)
    producer = FencedProducer(replace(settings, transaction_timeout_ms=1_000), "too late")
    producer.open()
    producer.begin()
    producer.produce(TP.topic, b"c1", b"too late", 0)
    assert wait_until(lambda: end_offset(settings) > end, within_ms=10_000)
    assert values(settings) == before, "the coordinator aborts it, and so lets readers pass"
    with pytest.raises(Fenced):
        producer.commit()
    assert values(settings) == before


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


def test_ends_are_told_again_as_soon_as_a_killed_broker_is_back(fragile: LocalStack, settings: KafkaSettings) -> None:
    positions = Positions(settings)
    before = positions.end_offsets([TP])
    fragile.broker(0).kill()
    fragile.broker(0).restart()
    assert positions.end_offsets([TP], within_ms=15_000) == before  # the client asks by a leader epoch that is over
