"""Transactions of the fenced producer on real Kafka: fencing, visibility, offsets, and what readers see."""

from collections.abc import Callable, Iterator

import pytest

from deploy.local.probe import wait_until
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.consumer import unjoined_group
from schemas.transport.errors import BrokerUnavailable, Fenced, InputsLost, RecordTooLarge
from schemas.transport.partitioner import partition_of
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer, FencedProducer
from schemas.transport.reader import PartitionReader, read_many_to_end, read_rows_to_end, read_to_end
from schemas.transport.records import BEGINNING, Position, TopicPartition
from schemas.transport.settings import KafkaSettings

Open = Callable[[str], FencedProducer]


@pytest.fixture
def settings(bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=bootstrap)


@pytest.fixture
def topic(settings: KafkaSettings, prefix: str) -> Iterator[str]:
    admin = TopicAdmin(settings)
    assert admin.create([TopicPlan(name=prefix, partitions=4)]) == {prefix}
    yield prefix
    admin.delete([prefix])


@pytest.fixture
def opened(settings: KafkaSettings) -> Iterator[Open]:
    """Open fenced producers that are closed with the test."""
    producers: list[FencedProducer] = []

    def one(transactional_id: str) -> FencedProducer:
        producer = FencedProducer(settings, transactional_id)
        producers.append(producer)
        producer.open()
        return producer

    yield one
    for producer in producers:
        producer.close()


def values(settings: KafkaSettings, topic: str, partition: int = 0, *, within_ms: int = 20_000) -> list[bytes | None]:
    slices = read_to_end(settings, TopicPartition(topic, partition), BEGINNING, within_ms=within_ms)
    return [record.value for one in slices for record in one.records]


def write(producer: FencedProducer, topic: str, *written: bytes) -> None:
    producer.begin()
    for value in written:
        producer.produce(topic, b"c1", value, 0)


def test_the_last_to_open_shuts_out_the_first(settings: KafkaSettings, topic: str, opened: Open) -> None:
    first = opened(topic)
    write(first, topic, b"of the zombie")
    second = opened(topic)
    with pytest.raises(Fenced, match=topic):
        first.commit()
    write(second, topic, b"of the owner")
    second.commit()
    assert values(settings, topic) == [b"of the owner"]


def test_nothing_is_read_before_the_commit_and_all_after(settings: KafkaSettings, topic: str, opened: Open) -> None:
    producer, reader = opened(topic), PartitionReader(settings)
    write(producer, topic, b"one", b"two")
    with reader:
        reader.assign([Position(topic, 0, BEGINNING)])
        assert reader.poll(within_ms=500) == []
        producer.commit()
        seen = reader.poll(within_ms=10_000)
    assert [record.value for record in seen] == [b"one", b"two"]


def test_an_aborted_batch_is_never_read_and_the_next_one_is(settings: KafkaSettings, topic: str, opened: Open) -> None:
    producer = opened(topic)
    write(producer, topic, b"given up")
    producer.abort()
    write(producer, topic, b"again")
    producer.commit()
    assert values(settings, topic) == [b"again"]


def test_input_positions_are_committed_with_the_outputs_or_not_at_all(
    settings: KafkaSettings, topic: str, opened: Open
) -> None:
    producer, positions, tp = opened(topic), Positions(settings), TopicPartition(topic, 2)
    group = unjoined_group(settings, topic)
    assert positions.committed(topic, [tp]) == {tp: None}
    write(producer, topic, b"given up")
    producer.send_offsets([Position(*tp, 5)], group)
    producer.abort()
    assert positions.committed(topic, [tp]) == {tp: None}
    write(producer, topic, b"kept")
    producer.send_offsets([Position(*tp, 7)], group)
    producer.commit()
    assert positions.committed(topic, [tp]) == {tp: 7}


def test_committed_positions_wait_for_a_transaction_that_may_change_them(
    settings: KafkaSettings, topic: str, opened: Open
) -> None:
    producer, positions, tp = opened(topic), Positions(settings), TopicPartition(topic, 0)
    write(producer, topic, b"pending")
    producer.send_offsets([Position(*tp, 9)], unjoined_group(settings, topic))
    with pytest.raises(BrokerUnavailable, match="committed offsets"):
        positions.committed(topic, [tp], within_ms=1_000)
    producer.commit()
    assert positions.committed(topic, [tp]) == {tp: 9}


def test_the_end_counts_an_open_transaction_that_a_reader_waits_for(
    settings: KafkaSettings, topic: str, opened: Open
) -> None:
    producer, tp = opened(topic), TopicPartition(topic, 0)
    write(producer, topic, b"open")
    assert wait_until(lambda: Positions(settings).end_offsets([tp]) == {tp: 1}, within_ms=10_000)
    with pytest.raises(BrokerUnavailable, match="did not reach the end"):
        values(settings, topic, within_ms=1_000)
    producer.commit()
    assert values(settings, topic) == [b"open"]


def test_a_restart_goes_on_where_the_slice_ended_and_passes_the_marker(
    settings: KafkaSettings, topic: str, opened: Open
) -> None:
    producer, tp = opened(topic), TopicPartition(topic, 0)
    write(producer, topic, b"one")
    producer.commit()
    *_, last = read_to_end(settings, tp, BEGINNING)
    assert last.next_offset == Positions(settings).end_offsets([tp])[tp] == 2
    write(producer, topic, b"two")
    producer.commit()
    assert [record.value for one in read_to_end(settings, tp, 2) for record in one.records] == [b"two"]


def test_a_position_before_the_log_is_lost_and_never_reset(settings: KafkaSettings, topic: str, opened: Open) -> None:
    producer, tp = opened(topic), TopicPartition(topic, 0)
    write(producer, topic, b"one", b"two", b"three")
    producer.commit()
    TopicAdmin(settings).delete_records([Position(*tp, 2)])
    assert Positions(settings).beginning_offsets([tp]) == {tp: 2}
    with pytest.raises(InputsLost):
        list(read_to_end(settings, tp, 0))
    assert [record.value for one in read_to_end(settings, tp, 2) for record in one.records] == [b"three"]


def test_a_position_behind_the_log_is_lost_too(settings: KafkaSettings, topic: str) -> None:
    with PartitionReader(settings) as reader:
        reader.assign([Position(topic, 0, 50)])
        with pytest.raises(InputsLost):
            reader.poll(within_ms=10_000)


def test_a_record_comes_back_as_it_was_sent(settings: KafkaSettings, topic: str, opened: Open) -> None:
    producer = opened(topic)
    producer.begin()
    producer.produce(topic, b"c1", None, 3, headers=(("origin", b"crm"),))
    producer.commit()
    (slice_,) = [one for one in read_to_end(settings, TopicPartition(topic, 3), BEGINNING) if one.records]
    (record,) = slice_.records
    assert (record.tp, record.offset, record.key, record.value) == (TopicPartition(topic, 3), 0, b"c1", None)
    assert record.headers == (("origin", b"crm"),)
    assert record.appended_at_ms > 1_500_000_000_000


def test_rows_are_records_without_their_labels(settings: KafkaSettings, topic: str, opened: Open) -> None:
    producer, tp = opened(topic), TopicPartition(topic, 1)
    producer.begin()
    producer.produce_rows(topic, 1, [(b"c1", b"one"), (b"c2", None)])
    producer.commit()
    slices = list(read_rows_to_end(settings, tp, BEGINNING))
    assert [row for one in slices for row in one.rows] == [(b"c1", b"one"), (b"c2", None)]
    assert slices[-1].next_offset == 3
    with pytest.raises(InputsLost):
        list(read_rows_to_end(settings, tp, 90))


def test_keys_lie_where_the_partitioner_says(settings: KafkaSettings, topic: str) -> None:
    events = EventProducer(settings)
    keys = [f"customer-{number}".encode() for number in range(200)] + ["客户-7".encode(), b"\x00"]
    for key in keys:
        events.produce(topic, key, key)
    events.flush()
    everything = dict.fromkeys((TopicPartition(topic, number) for number in range(4)), BEGINNING)
    found = {one.key: one.partition for many in read_many_to_end(settings, everything) for one in many}
    assert found == {key: partition_of(key, 4) for key in keys}


def test_a_record_that_is_too_large_is_told_apart(topic: str, opened: Open) -> None:
    producer = opened(topic)
    producer.begin()
    with pytest.raises(RecordTooLarge):
        producer.produce(topic, b"c1", bytes(20 * 1024 * 1024))
    producer.abort()


def test_a_silent_broker_is_unavailable_and_not_for_ever() -> None:
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(BrokerUnavailable):
        FencedProducer(nowhere, "nobody").open(within_ms=300)
    with pytest.raises(BrokerUnavailable):
        Positions(nowhere).end_offsets([TopicPartition("nothing", 0)], within_ms=300)
