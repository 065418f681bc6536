"""Keeps the contact store level with its topics; a store that was flushed or put back to an old dump is rebuilt."""

import asyncio
from collections.abc import Mapping

import structlog

from connectors.contacts.changes import changes_of
from connectors.metrics import ContactsMetrics
from connectors.ports import ContactStore, EndOffsets, StoreAway
from connectors.trouble import Trouble
from schemas import topics
from schemas.codec import Codec
from schemas.errors import SchemaUnavailable, TransportError
from schemas.transport.reader import PartitionReader
from schemas.transport.records import Position, TopicPartition

FETCHED_AT_ONCE = 1_000
POLL_MS = 200
AWAY_PAUSE_S = 0.5

_log = structlog.get_logger(__name__)


class Projection:
    """Follows contacts, keys and erasures into the store; needs no group, because it writes by positions."""

    def __init__(
        self,
        *,
        store: ContactStore,
        reader: PartitionReader,
        ends: EndOffsets,
        beginnings: EndOffsets,
        codec: Codec,
        partitions: int,
        metrics: ContactsMetrics,
    ) -> None:
        self._store, self._reader, self._ends, self._beginnings = store, reader, ends, beginnings
        self._codec, self._metrics = codec, metrics
        self._tps = [
            TopicPartition(topic, number)
            for topic in (topics.FENCE, topics.CONTACT_KEY, topics.CONTACT)
            for number in range(partitions)
        ]
        self._stored: dict[TopicPartition, int] = {}
        self._aim: Mapping[TopicPartition, int] = {}
        self.is_level = False

    async def run(self, stopped: asyncio.Event) -> None:
        """Follow until stopped; while store, broker or registry is away nothing is read past what the store holds."""
        waiting = Trouble("contacts_waiting")
        while not stopped.is_set():
            try:
                await self._turn()
            except (StoreAway, TransportError, SchemaUnavailable) as away:
                waiting.met(away)
                self._stored = {}
                await _pause(stopped, AWAY_PAUSE_S)
            else:
                waiting.over()

    async def _turn(self) -> None:
        if not self._stored:
            await self._take_up()
        records = await asyncio.to_thread(self._reader.poll, FETCHED_AT_ONCE, POLL_MS)
        after = {tp: max(at, self._stored[tp]) for tp, at in self._reader.positions().items()}
        changes = [change for record in records for change in changes_of(record, self._codec)]
        if not await self._store.apply(changes, before=self._stored, after=after):
            _log.warning("contact_store_changed", detail="positions are not those we wrote; reading them again")
            self._stored = {}
            return
        self._stored = after
        self._metrics.changes.inc(len(changes))
        await self._catch_up()
        if self.is_level and not changes:
            self._metrics.level()

    async def _take_up(self) -> None:
        """Go on where the store is; from the beginning where it holds nothing or less than the log still has."""
        self.is_level = False
        self._aim = await asyncio.to_thread(self._ends, self._tps)
        stored = await self._store.positions()
        beginnings = await asyncio.to_thread(self._beginnings, self._tps)
        if stored.keys() != set(self._tps) or any(stored[tp] < beginnings[tp] for tp in self._tps):
            self._metrics.rebuilds.inc()
            _log.info("contact_store_rebuilding", partitions=len(self._tps))
            await self._store.begin_building(beginnings)
            stored = beginnings
        self._stored = dict(stored)
        await asyncio.to_thread(self._read_from, self._stored)

    def _read_from(self, positions: Mapping[TopicPartition, int]) -> None:
        self._reader.unassign(self._reader.assignment())
        self._reader.assign(Position(*tp, offset) for tp, offset in positions.items())

    async def _catch_up(self) -> None:
        """Be level once the ends are reached that stood when the store was taken up.

        A rebuild may be that of a predecessor who was killed in it: whoever reaches the ends has ended it.
        """
        if self.is_level or any(self._stored[tp] < end for tp, end in self._aim.items()):
            return
        await self._store.end_building()
        self.is_level = True
        _log.info("contact_store_level")


async def _pause(stopped: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopped.wait(), seconds)
    except TimeoutError:
        return
