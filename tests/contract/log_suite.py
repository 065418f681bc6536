"""What the engine relies on of a log, kept alike by the one in memory and real Kafka."""

import pytest

from schemas.topics import PAYMENT
from schemas.transport.errors import Fenced
from schemas.transport.records import TopicPartition
from streams.log import Log, Producer

CHANGELOG = "counting-state-changelog"  # of the application that the suite's logs belong to
ROWS, INPUT = TopicPartition(CHANGELOG, 0), TopicPartition(PAYMENT, 0)


def transact(producer: Producer, rows: dict[bytes, bytes | None], position: int = 0) -> None:
    """Commit rows and one input position."""
    producer.begin()
    for key, value in rows.items():
        producer.produce(CHANGELOG, key, value, 0)
    producer.send_offsets({INPUT: position})
    producer.commit()


def rows_of(log: Log, from_offset: int = 0) -> list[tuple[bytes | None, bytes | None]]:
    """Read everything to the end."""
    return [row for stretch in log.read_to_end(ROWS, from_offset) for row in stretch.rows]


class LogContract:
    """Subclass it with a fixture `log`: an empty log of the application `counting` with one partition or more."""

    def test_rows_and_positions_become_visible_together(self, log: Log) -> None:
        producer = log.producer(0)
        producer.open()
        assert log.committed([INPUT]) == {INPUT: None}
        producer.begin()
        producer.produce(CHANGELOG, b"a", b"1", 0)
        producer.send_offsets({INPUT: 7})
        producer.commit()
        assert rows_of(log) == [(b"a", b"1")]
        assert log.committed([INPUT]) == {INPUT: 7}

    def test_an_aborted_transaction_is_never_read_and_moves_no_position(self, log: Log) -> None:
        producer = log.producer(0)
        producer.open()
        transact(producer, {b"a": b"1"}, 3)
        producer.begin()
        producer.produce(CHANGELOG, b"a", b"2", 0)
        producer.send_offsets({INPUT: 9})
        producer.abort()
        transact(producer, {b"b": None}, 4)
        assert rows_of(log) == [(b"a", b"1"), (b"b", None)]
        assert log.committed([INPUT]) == {INPUT: 4}

    def test_the_end_grows_by_the_rows_and_one_marker(self, log: Log) -> None:
        producer = log.producer(0)
        producer.open()
        first = log.end_offsets([ROWS])[ROWS]
        for count in (1, 5, 17):
            transact(producer, {b"%d" % number: b"x" for number in range(count)})
            first += count + 1
            transact(producer, {b"next": b"x"})  # its markers stand only after those of the one before
            first += 2
        (*_, last) = log.read_to_end(ROWS, 0)
        assert last.next_offset == log.end_offsets([ROWS])[ROWS] == first

    def test_the_last_to_open_owns_the_partition(self, log: Log) -> None:
        zombie = log.producer(0)
        zombie.open()
        transact(zombie, {b"a": b"1"})
        successor = log.producer(0)
        successor.open()
        with pytest.raises(Fenced):
            transact(zombie, {b"a": b"never"})
        transact(successor, {b"a": b"2"})
        assert rows_of(log) == [(b"a", b"1"), (b"a", b"2")]

    def test_opening_aborts_what_a_predecessor_left_open(self, log: Log) -> None:
        dead = log.producer(0)
        dead.open()
        dead.begin()
        dead.produce(CHANGELOG, b"a", b"never", 0)
        dead.send_offsets({INPUT: 5})
        successor = log.producer(0)
        successor.open()
        transact(successor, {b"a": b"1"}, 1)
        assert rows_of(log) == [(b"a", b"1")]
        assert log.committed([INPUT]) == {INPUT: 1}

    def test_reading_from_the_middle_gives_the_rest(self, log: Log) -> None:
        producer = log.producer(0)
        producer.open()
        transact(producer, {b"a": b"1"})
        middle = log.end_offsets([ROWS])[ROWS]
        transact(producer, {b"b": b"2"})
        assert rows_of(log, middle) == [(b"b", b"2")]
        assert log.beginning_offsets([ROWS]) == {ROWS: 0}

    def test_an_empty_log_has_nothing_to_read(self, log: Log) -> None:
        assert rows_of(log) == []
