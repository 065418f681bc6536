"""Producers: the fenced one, whose transactions shut out its predecessor, and a plain one for publishers."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.transport.deadline import Deadline, until
from schemas.transport.errors import (
    BrokerUnavailable,
    CommitUnknown,
    DeliveryFailed,
    error_of,
    is_passing,
    translated,
)
from schemas.transport.records import GroupMetadata, Headers, Position, Row, to_client
from schemas.transport.settings import KafkaSettings

ANY_PARTITION = -1  # the key decides
_ROOM_WITHIN_MS = 30_000
_SERVE_S = 0.1


class FencedProducer:
    """A transactional producer; the last one opened under an id owns it, and earlier ones fail as `Fenced` (I2).

    One thread at a time; every call blocks and lets other threads run.
    """

    def __init__(self, settings: KafkaSettings, transactional_id: str) -> None:
        """Make the client; nothing is fenced before `open`."""
        self.transactional_id = transactional_id
        self._producer = Producer(settings.fenced_producer(transactional_id))
        self._send = self._producer.produce
        self._prefix = settings.topic_prefix

    def open(self, within_ms: int = 30_000) -> None:
        """Shut out the predecessor and abort what it left open; committed positions are read only after this."""
        until(within_ms, self._doing("open"), self._producer.init_transactions)

    def begin(self) -> None:
        """Begin a transaction."""
        until(0, self._doing("begin"), self._begin)

    def produce(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int = ANY_PARTITION, headers: Headers = ()
    ) -> None:
        """Add a record to the open transaction; `value` None is a tombstone. `commit` tells whether all arrived."""
        try:
            if headers:
                self._send(self._prefix + topic, value, key, partition, headers=list(headers))
            else:
                self._send(self._prefix + topic, value, key, partition)
        except BufferError:
            _make_room(self._producer, self._doing("produce"))
            self.produce(topic, key, value, partition, headers)
        except KafkaException as raised:
            raise translated(error_of(raised), self._doing(f"produce to {topic}")) from raised

    def produce_rows(self, topic: str, partition: int, rows: Iterable[Row]) -> None:
        """Add many records of one partition, keys and values: a changelog, at the price of the bare client."""
        send = self._send
        for key, value in rows:
            try:
                send(topic, value, key, partition)
            except BufferError:
                self.produce(topic, key, value, partition)
            except KafkaException as raised:
                raise translated(error_of(raised), self._doing(f"produce to {topic}")) from raised

    def send_offsets(self, positions: Iterable[Position], group: GroupMetadata, within_ms: int = 30_000) -> None:
        """Make the next offsets to read part of the transaction."""
        offsets = to_client(positions, self._prefix)
        if offsets:
            until(
                within_ms,
                self._doing("send offsets"),
                lambda left_s: self._producer.send_offsets_to_transaction(offsets, group.raw, left_s),
            )

    def commit(self, within_ms: int = 30_000) -> None:
        """Commit, repeating the commit while it is unanswered.

        Raises:
            CommitUnknown: still unanswered; call `commit` again, never rerun the batch.
            Abortable: refused; `abort`, then the batch may run again.
            Fenced: a successor owns the id; nothing of the transaction is visible unless it was committed before.
        """
        deadline = Deadline(within_ms)
        while True:
            try:
                self._producer.commit_transaction(deadline.remaining_s())
            except KafkaException as raised:
                error = error_of(raised)
                if not is_passing(error) or error.txn_requires_abort():
                    raise translated(error, self._doing("commit")) from raised
                if deadline.has_passed():
                    raise CommitUnknown(self._doing("commit, unanswered: repeat it")) from raised
                deadline.pause()
            else:
                return

    def abort(self, within_ms: int = 30_000) -> None:
        """Give up the open transaction; what it produced is never read."""
        until(within_ms, self._doing("abort"), self._producer.abort_transaction)

    def close(self) -> None:
        """Drop what is still queued; a transaction left open is aborted by the successor, or by its timeout."""
        self._producer.purge()

    def _begin(self, _left_s: float) -> None:
        self._producer.poll(0)  # drop what reports the last transaction left
        self._producer.begin_transaction()

    def _doing(self, what: str) -> str:
        return f"{what} ({self.transactional_id})"


class EventProducer:
    """An idempotent producer without transactions, for those who publish facts; `flush` vouches for delivery."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Make the client."""
        self._producer, self._prefix = Producer(settings.producer()), settings.topic_prefix
        self._failed: list[str] = []

    def produce(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int = ANY_PARTITION, headers: Headers = ()
    ) -> None:
        """Queue a record; the next `flush` raises if it cannot be delivered."""
        try:
            self._producer.produce(
                self._prefix + topic, value, key, partition, on_delivery=self._note, headers=list(headers)
            )
            self._producer.poll(0)
        except BufferError:
            _make_room(self._producer, f"produce to {topic}")
            self.produce(topic, key, value, partition, headers)
        except KafkaException as raised:
            raise translated(error_of(raised), f"produce to {topic}") from raised

    def flush(self, within_ms: int = 30_000) -> None:
        """Return once every record so far is acknowledged by all in-sync replicas.

        Raises:
            DeliveryFailed: some were refused; each failure is told once.
            BrokerUnavailable: some are still under way at the deadline and stay queued.
        """
        waiting = self._producer.flush(within_ms / 1000)
        failed, self._failed = self._failed, []
        if failed:
            raise DeliveryFailed(f"{len(failed)} records were not delivered; the first: {failed[0]}")
        if waiting:
            raise BrokerUnavailable(f"{waiting} records are not acknowledged after {within_ms} ms; they stay queued")

    def close(self, within_ms: int = 30_000) -> None:
        """Flush."""
        self.flush(within_ms)

    def _note(self, error: KafkaError | None, message: "Message[bytes, bytes]") -> None:
        if error is not None:
            self._failed.append(f"{message.topic()}: {error.name()}: {error.str()}")


def _make_room(producer: Producer, doing: str) -> None:
    """Serve reports until the full queue has room again."""
    deadline, full = Deadline(_ROOM_WITHIN_MS), len(producer)
    while len(producer) >= full:
        if deadline.has_passed():
            raise BrokerUnavailable(f"{doing}: the client's queue of {full} records does not drain")
        producer.poll(_SERVE_S)
