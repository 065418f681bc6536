"""Follows the fence topic for a channel, in a thread of its own, so that fences never wait for calls."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import cast

import structlog

from connectors.fences import FenceTable
from connectors.trouble import Trouble
from schemas import topics
from schemas.codec import Codec
from schemas.errors import Refused, SchemaUnavailable
from schemas.identity import HEARTBEAT_KEY
from schemas.outputs import FenceRaised, HeartbeatSent
from schemas.transport.errors import BrokerUnavailable
from schemas.transport.positions import Positions
from schemas.transport.reader import PartitionReader
from schemas.transport.records import BEGINNING, Position, Record, TopicPartition
from schemas.transport.settings import KafkaSettings

POLL_MS = 50
ASK_AGAIN_S = 0.5
FETCHED_AT_ONCE = 2_000
READ_WITHIN_S = 600.0

_Decode = Callable[[bytes | None], FenceRaised | HeartbeatSent]
_log = structlog.get_logger(__name__)


class FenceTail:
    """Tables of fences that are always as new as the topic; `open` returns when one has been read to its end."""

    def __init__(self, settings: KafkaSettings, *, codec: Codec, on_erased: Callable[[str], None]) -> None:
        self._settings, self._on_erased = settings, on_erased
        self._decode = cast("_Decode", codec.decoder((FenceRaised, HeartbeatSent)))  # the codec types unions loosely
        self._positions = Positions(settings)
        self._wishes: SimpleQueue[Callable[[PartitionReader], None]] = SimpleQueue()
        self._tables: dict[int, FenceTable] = {}
        self._awaited: dict[int, tuple[int, threading.Event]] = {}
        self._unread: deque[Record] = deque()
        self._schemas = Trouble("schema_waiting")
        self._is_closing = threading.Event()
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="fence-tail", daemon=True)
        self._thread.start()

    def open(self, partitions: list[int]) -> Mapping[int, FenceTable]:
        """Read the fences of these partitions to the ends they have now, and follow them from there."""
        wanted = [TopicPartition(topics.FENCE, number) for number in partitions]
        ends = self._positions.end_offsets(wanted)
        reached = {tp.partition: (end, threading.Event()) for tp, end in ends.items()}

        def begin(reader: PartitionReader) -> None:
            for number in partitions:
                self._tables[number] = FenceTable(on_erased=self._on_erased)
            self._awaited.update(reached)
            reader.assign(Position(*tp, BEGINNING) for tp in wanted)

        self._wishes.put(begin)
        for end, event in reached.values():
            if not event.wait(READ_WITHIN_S):
                raise BrokerUnavailable(f"the fences could not be read to offset {end} within {READ_WITHIN_S} s")
        self.check()
        return {number: self._tables[number] for number in partitions}

    def close_partitions(self, partitions: list[int]) -> None:
        """Follow these no more."""

        def end(reader: PartitionReader) -> None:
            reader.unassign(TopicPartition(topics.FENCE, number) for number in partitions if number in self._tables)
            for number in partitions:
                self._tables.pop(number, None)
            self._unread = deque(record for record in self._unread if record.partition not in partitions)

        self._wishes.put(end)

    def check(self) -> None:
        """Raise what stopped the thread, if anything did."""
        if self._broken is not None:
            raise self._broken

    def close(self) -> None:
        """End the thread."""
        self._is_closing.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            with PartitionReader(self._settings) as reader:
                while not self._is_closing.is_set():
                    self._grant_wishes(reader)
                    self._follow(reader)
        except Exception as error:  # noqa: BLE001  handed to the loop's thread, which ends the process
            self._broken = error
            for _, event in self._awaited.values():
                event.set()

    def _grant_wishes(self, reader: PartitionReader) -> None:
        while True:
            try:
                wish = self._wishes.get(block=not self._tables, timeout=POLL_MS / 1000)
            except Empty:
                return
            wish(reader)

    def _follow(self, reader: PartitionReader) -> None:
        if not self._tables:
            return
        if not self._unread:
            self._unread.extend(reader.poll(FETCHED_AT_ONCE, POLL_MS))
        self._take_in()
        if self._awaited and not self._unread:
            self._tell_reached(reader.positions())

    def _take_in(self) -> None:
        """Apply what was read; while a schema cannot be told the rest waits, heartbeats grow stale, and calls stop."""
        while self._unread:
            record = self._unread[0]
            table = self._tables.get(record.partition)
            try:
                if table is not None:
                    self._apply(table, record)
            except SchemaUnavailable as away:
                self._schemas.met(away)
                self._is_closing.wait(ASK_AGAIN_S)
                return
            self._schemas.over()
            self._unread.popleft()

    def _apply(self, table: FenceTable, record: Record) -> None:
        key = record.key or b""
        try:
            told = self._decode(record.value) if record.value is not None else None
        except Refused as error:
            _log.error("fence_unreadable", partition=record.partition, offset=record.offset, error=str(error))
            table.distrust()
            return
        if told is not None or key != HEARTBEAT_KEY:
            table.apply(key.decode(), told)

    def _tell_reached(self, positions: Mapping[TopicPartition, int]) -> None:
        for number, (end, event) in list(self._awaited.items()):
            if positions.get(TopicPartition(topics.FENCE, number), BEGINNING) >= end:
                event.set()
                del self._awaited[number]
