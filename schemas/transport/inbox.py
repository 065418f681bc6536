"""From the client's messages to our records, with the positions they lead to and the errors among them."""

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, Message

from schemas.errors import TransportError
from schemas.transport.errors import is_passing, translated
from schemas.transport.records import Position, Record, Row, TopicPartition, record_of

_END = KafkaError._PARTITION_EOF  # noqa: SLF001  librdkafka's own codes are spelled so

Messages = list["Message[bytes, bytes]"]


class Inbox:
    """Fetches from one consumer; an error met behind good records is raised by the next call, so none is dropped."""

    def __init__(self, consumer: Consumer, doing: str, prefix: str = "") -> None:
        """Take the consumer; `doing` begins the text of errors, `prefix` is taken off topics."""
        self._consumer, self._doing, self._prefix = consumer, doing, prefix
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
        records = self._sort_out(self._fetch(max_records, within_ms))
        if not records:
            self._raise_kept()
        return records

    def poll_rows(self, max_records: int, within_ms: int) -> list[Row]:
        """Do the same for a consumer of one partition, keys and values only: half as dear, for restores."""
        messages = self._fetch(max_records, within_ms)
        rows = [(message.key(), message.value()) for message in messages if message.error() is None]
        if rows:
            last = next(message for message in reversed(messages) if message.error() is None)
            self._follow(record_of(last, self._prefix))
        if len(rows) < len(messages):
            self._heed_all(messages)
        if not rows:
            self._raise_kept()
        return rows

    def _fetch(self, max_records: int, within_ms: int) -> Messages:
        self._raise_kept()
        first = self._consumer.poll(within_ms / 1000)
        if first is None:
            return []
        return [first, *(self._consumer.consume(max_records - 1, 0) if max_records > 1 else [])]

    def _sort_out(self, messages: Messages) -> list[Record]:
        records: list[Record] = []
        last: Record | None = None
        for message in messages:
            if message.error() is not None:
                continue
            record = record_of(message, self._prefix)
            if last is not None and (record.partition != last.partition or record.topic != last.topic):
                self._follow(last)
            records.append(record)
            last = record
        if last is not None:
            self._follow(last)
        if len(records) < len(messages):
            self._heed_all(messages)
        return records

    def _follow(self, last: Record) -> None:
        """Move a partition's position behind the last record of a run; once a run, because a key per record is dear."""
        self.positions[last.tp] = last.offset + 1

    def _heed_all(self, messages: Messages) -> None:
        for message in messages:
            if (error := message.error()) is not None:
                self._heed(message, error)

    def _heed(self, message: "Message[bytes, bytes]", error: KafkaError) -> None:
        tp = TopicPartition((message.topic() or "")[len(self._prefix) :], message.partition() or 0)
        if error.code() == _END:
            # an end lies behind transaction markers, which no record shows
            self.positions[tp] = max(message.offset() or 0, self.positions.get(tp, 0))
        elif not is_passing(error) and self._error is None:
            where = f" {tp.topic}[{tp.partition}]" if tp.topic else ""
            self._error = translated(error, f"{self._doing}{where}")

    def _raise_kept(self) -> None:
        if self._error:
            error, self._error = self._error, None
            raise error
