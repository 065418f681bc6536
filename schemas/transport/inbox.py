"""From the client's messages to our records, with the positions they lead to and the errors among them."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message

from schemas.errors import TransportError
from schemas.transport.errors import is_passing, translated
from schemas.transport.records import Position, Record, TopicPartition, record_of

_END = KafkaError._PARTITION_EOF  # noqa: SLF001  librdkafka's own codes are spelled so


class Inbox:
    """Fetches from one consumer; an error met behind good records is raised by the next call, so none is dropped."""

    def __init__(self, consumer: Consumer, doing: str) -> None:
        """Take the consumer; `doing` begins the text of errors."""
        self._consumer, self._doing = consumer, doing
        self._error: TransportError | None = None
        self.positions: dict[TopicPartition, int] = {}

    def expect(self, positions: Iterable[Position]) -> None:
        """Note where partitions are read from."""
        self.positions.update({one.tp: one.offset for one in positions})

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """Drop what is known of partitions that are no longer read."""
        for tp in partitions:
            self.positions.pop(tp, None)

    def poll(self, max_records: int, within_ms: int) -> list[Record]:
        """Wait at most `within_ms` for the first record, then take what is already here, at most `max_records`."""
        self._raise_kept()
        first = self._consumer.poll(within_ms / 1000)
        if first is None:
            return []
        more = self._consumer.consume(max_records - 1, 0) if max_records > 1 else []
        records = self._sort_out([first, *more])
        if not records:
            self._raise_kept()
        return records

    def _sort_out(self, messages: "list[Message[Any, Any]]") -> list[Record]:
        records, positions = [], self.positions
        for message in messages:
            error = message.error()
            if error is not None:
                self._heed(message, error)
                continue
            record = record_of(message)
            records.append(record)
            positions[record.tp] = record.offset + 1
        return records

    def _heed(self, message: "Message[Any, Any]", error: KafkaError) -> None:
        tp = TopicPartition(message.topic() or "", message.partition() or 0)
        if error.code() == _END:
            self.positions[tp] = message.offset() or 0  # past transaction markers, which no record shows
        elif not is_passing(error) and self._error is None:
            self._error = translated(error, f"{self._doing} {tp.topic}[{tp.partition}]")

    def _raise_kept(self) -> None:
        if self._error:
            error, self._error = self._error, None
            raise error
