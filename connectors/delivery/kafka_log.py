"""A channel's side of Kafka: the group, the fenced producer, and one transaction a cycle (KIP-447)."""

import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from connectors.delivery.fence_tail import FenceTail
from connectors.exits import named_exits
from connectors.ledger import Ledger
from connectors.metrics import DeliveryMetrics
from connectors.orders import Cycle, Order, order_of
from connectors.ports import Opening, Partitions
from connectors.trouble import Trouble
from schemas import topics
from schemas.codec import Codec
from schemas.errors import Refused, SchemaUnavailable
from schemas.events import ReceiptGiven
from schemas.failpoints import failpoint
from schemas.outputs import LedgerRow, SendTouch
from schemas.transport.consumer import GroupConsumer
from schemas.transport.errors import (
    Abortable,
    BrokerUnavailable,
    CommitUnknown,
    OutOfGeneration,
)
from schemas.transport.positions import Positions
from schemas.transport.producer import FencedProducer
from schemas.transport.reader import read_many_to_end
from schemas.transport.records import BEGINNING, Position, Record, TopicPartition
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel

FETCHED_AT_ONCE = 500
TRIES = 5
COMMIT_WITHIN_S = 60.0
ASK_AGAIN_S = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNames:
    """What one process of one channel is called in Kafka."""

    channel: Channel
    group: str
    transactional_id: str


class KafkaLog:
    """Fetches commands and writes cycles; one thread at a time. Broken promises are raised as ExitError."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        names: LogNames,
        codec: Codec,
        fences: FenceTail,
        metrics: DeliveryMetrics,
    ) -> None:
        self._settings, self._names, self._fences, self._metrics = settings, names, fences, metrics
        self._commands = topics.command_topic(names.channel)
        self._ledgers = topics.ledger_topic(names.channel)
        self._decode_command = codec.decoder(SendTouch)
        self._decode_row = codec.decoder(LedgerRow)
        self._encode_row = codec.encoder(LedgerRow)
        self._encode_receipt = codec.encoder(ReceiptGiven)
        self._positions = Positions(settings)
        self._producer = FencedProducer(settings, names.transactional_id)
        self._patience_ms = settings.transaction_timeout_ms  # no transaction lives longer, so neither does waiting
        self._unread: deque[Record] = deque()
        self._schemas = Trouble("schema_waiting")

    def open(self, partitions: Partitions) -> None:
        """Open the producer, then join the group: committed positions are read only after that."""
        self._partitions = partitions
        self._producer.open()
        self._consumer = GroupConsumer(
            self._settings,
            group=self._names.group,
            topics=[self._commands],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )

    def poll(self, within_ms: int) -> list[Order]:
        """Fetch orders; while the registry cannot tell a schema, the rest waits its turn."""
        with named_exits():
            self._fences.check()
            self._unread.extend(self._consumer.poll(FETCHED_AT_ONCE, 0 if self._unread else within_ms))
        orders: list[Order] = []
        while self._unread:
            try:
                orders.extend(self._read(self._unread[0]))
            except SchemaUnavailable as away:
                self._schemas.met(away)
                break
            self._schemas.over()
            self._unread.popleft()
        return orders

    def commit(self, cycle: Cycle) -> None:
        """Write a cycle in one transaction, again after an abort, until it is known to stand."""
        with named_exits():
            for _ in range(TRIES):
                try:
                    self._write(cycle)
                except (Abortable, BrokerUnavailable) as failed:
                    _log.warning("cycle_aborted", error=str(failed))
                    self._producer.abort(self._patience_ms)
                except OutOfGeneration:
                    self._producer.abort(self._patience_ms)  # else readers wait for our timeout
                    raise
                else:
                    return
            raise BrokerUnavailable(f"the cycle was aborted {TRIES} times")

    def pause(self, partitions: Iterable[int]) -> None:
        """Fetch nothing more of these for now."""
        self._consumer.pause(self._tps(self._commands, partitions))

    def resume(self, partitions: Iterable[int]) -> None:
        """Fetch these again."""
        self._consumer.resume(self._tps(self._commands, partitions))

    def close(self) -> None:
        """Leave the group; what runs is finished and written first."""
        self._consumer.close()
        self._producer.close()
        self._fences.close()

    # ---- partitions come and go -------------------------------------------------------------------------------------

    def _assigned(self, given: tuple[TopicPartition, ...]) -> list[Position]:
        """Positions first (this waits for pending transactions), then ledger and fences to their ends."""
        committed = self._positions.committed(self._names.group, given)
        numbers = [tp.partition for tp in given]
        ledgers = self._read_ledgers(numbers)
        fences = self._fences.open(numbers)
        starts = [Position(*tp, BEGINNING if (at := committed[tp]) is None else at) for tp in given]
        for start in starts:
            self._partitions.opened(
                Opening(
                    partition=start.partition,
                    position=start.offset,
                    ledger=ledgers[start.partition],
                    fences=fences[start.partition],
                )
            )
        return starts

    def _read_ledgers(self, numbers: Collection[int]) -> Mapping[int, Ledger]:
        started_s = time.monotonic()
        ledgers = {number: Ledger() for number in numbers}
        tps = self._tps(self._ledgers, numbers)
        for records in read_many_to_end(self._settings, dict.fromkeys(tps, BEGINNING)):
            for record in records:
                ledgers[record.partition].apply((record.key or b"").decode(), self._row(record.value))
        self._metrics.ledger_read.set(time.monotonic() - started_s)
        return ledgers

    def _row(self, value: bytes | None) -> LedgerRow | None:
        """Read a row; while the registry cannot tell its schema, opening waits: a ledger with a gap calls twice."""
        while value is not None:
            try:
                row = self._decode_row(value)
            except SchemaUnavailable as away:
                self._schemas.met(away)
                time.sleep(ASK_AGAIN_S)
            else:
                self._schemas.over()
                return row
        return None

    def _revoked(self, taken: tuple[TopicPartition, ...]) -> None:
        numbers = [tp.partition for tp in taken]
        cycle = self._partitions.closing(numbers)
        if not cycle.is_empty:
            self.commit(cycle)
        self._let_go(numbers)

    def _lost(self, taken: tuple[TopicPartition, ...]) -> None:
        numbers = [tp.partition for tp in taken]
        self._partitions.lost(numbers)
        self._let_go(numbers)

    def _let_go(self, numbers: list[int]) -> None:
        self._fences.close_partitions(numbers)
        self._unread = deque(record for record in self._unread if record.partition not in numbers)

    # ---- one transaction --------------------------------------------------------------------------------------------

    def _write(self, cycle: Cycle) -> None:
        producer = self._producer
        producer.begin()
        for number, row in cycle.results:
            producer.produce(self._ledgers, row.touch_key.encode(), self._encode_row(row), number)
        for number, receipt in cycle.receipts:
            producer.produce(topics.RECEIPT, receipt.customer_id.encode(), self._encode_receipt(receipt), number)
        if cycle.results:
            failpoint("delivery.after_result_begun")
        for number, row in cycle.intents:
            producer.produce(self._ledgers, row.touch_key.encode(), self._encode_row(row), number)
        for number, touch_key in cycle.forgotten:
            producer.produce(self._ledgers, touch_key.encode(), None, number)
        positions = [Position(self._commands, number, offset) for number, offset in cycle.positions.items()]
        producer.send_offsets(positions, self._consumer.group_metadata(), self._patience_ms)
        self._commit_for_certain()
        if cycle.results:
            failpoint("delivery.after_result_commit")

    def _commit_for_certain(self) -> None:
        """A commit without an answer may stand: it is repeated, never rerun."""
        deadline_s = time.monotonic() + COMMIT_WITHIN_S
        while True:
            try:
                return self._producer.commit(self._patience_ms)
            except CommitUnknown:
                if time.monotonic() > deadline_s:
                    raise

    def _read(self, record: Record) -> list[Order]:
        at = {"partition": record.partition, "offset": record.offset}
        try:
            return [order_of(self._decode_command(record.value), **at, appended_at_ms=record.appended_at_ms)]
        except Refused as error:
            # it names nobody to report on; the state's alarm for a missing receipt surfaces the touch
            self._metrics.skipped_unreadable()
            _log.error("command_unreadable", **at, error=str(error))
            return []

    def _tps(self, topic: str, numbers: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in numbers]
