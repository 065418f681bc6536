"""Contacts in clear, right before the call: store first, a bounded cache when the store is away (R74)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import structlog

from connectors.contacts.crypto import ContactUnreadable, DataKey, MasterKey
from connectors.metrics import DeliveryMetrics, LookupResult
from connectors.ports import ContactRow, ContactStore, EndOffsets, Found, Looked, StoreAway
from connectors.trouble import Trouble
from schemas import topics
from schemas.errors import TransportError
from schemas.transport.partitioner import partition_of
from schemas.transport.records import TopicPartition

CACHED_FOR_S = 15 * 60.0
AWAY_FOR_S = 1.0
_TOPICS = (topics.CONTACT, topics.CONTACT_KEY)
_UNKNOWN = Found(is_known=False)
_ABSENT = Found(is_known=True)

_log = structlog.get_logger(__name__)


class ContactBook:
    """Looks contacts up and decrypts them; believes a miss only of a store that has read all there was to read."""

    def __init__(
        self,
        store: ContactStore,
        *,
        master: MasterKey,
        ends: EndOffsets,
        partitions: int,
        metrics: DeliveryMetrics,
        cache_rows: int,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._master, self._ends, self._partitions = store, master, ends, partitions
        self._metrics, self._cache_rows, self._clock_s = metrics, cache_rows, clock_s
        self._cache: OrderedDict[str, tuple[float, ContactRow]] = OrderedDict()
        self._seen: dict[TopicPartition, int] = {}
        self._away_until_s = 0.0
        self._store_trouble, self._ends_trouble = Trouble("contact_store_away"), Trouble("contact_ends_unknown")

    async def look_up(self, customer_ids: Sequence[str]) -> Mapping[str, Found]:
        """An answer for each customer; a store that is away is asked again a second later."""
        asked = list(dict.fromkeys(customer_ids))
        looked = await self._looked(asked)
        if looked is None:
            return {customer_id: self._from_cache(customer_id) for customer_id in asked}
        missing = [customer_id for customer_id in asked if not _is_whole(looked.rows.get(customer_id))]
        behind = await asyncio.to_thread(self._behind, missing, looked) if missing else frozenset()
        return {customer_id: self._from_store(customer_id, looked, behind) for customer_id in asked}

    def forget(self, customer_id: str) -> None:
        """Drop what the cache holds of an erased customer."""
        self._cache.pop(customer_id, None)

    async def _looked(self, customer_ids: Sequence[str]) -> Looked | None:
        """What the store says, unless it is away, being rebuilt, or older than it once was."""
        if self._clock_s() < self._away_until_s:
            return None
        try:
            looked = await self._store.look_up(customer_ids)
        except StoreAway as away:
            self._store_trouble.met(away)
            self._away_until_s = self._clock_s() + AWAY_FOR_S
            return None
        self._store_trouble.over()
        if looked.is_building or any(looked.positions.get(tp, -1) < seen for tp, seen in self._seen.items()):
            return None
        self._seen = dict(looked.positions)
        return looked

    def _behind(self, customer_ids: Sequence[str], looked: Looked) -> frozenset[str]:
        """Of these customers, those about whom the store may not have read everything yet."""
        wanted = {one: self._places(one) for one in customer_ids}
        try:
            ends = self._ends(sorted({tp for places in wanted.values() for tp in places}))
        except TransportError as error:  # whatever Kafka said: it did not say how far the topics go
            self._ends_trouble.met(error)
            return frozenset(customer_ids)
        self._ends_trouble.over()
        return frozenset(
            one for one, places in wanted.items() if any(looked.positions.get(tp, -1) < ends[tp] for tp in places)
        )

    def _places(self, customer_id: str) -> tuple[TopicPartition, ...]:
        number = partition_of(customer_id.encode(), self._partitions)
        return tuple(TopicPartition(topic, number) for topic in _TOPICS)

    def _from_store(self, customer_id: str, looked: Looked, behind: frozenset[str]) -> Found:
        row = looked.rows.get(customer_id)
        if row is not None and row.wrapped_key:
            self._keep(row)
            self._metrics.looked_up(LookupResult.STORE)
            return self._opened(row)
        if customer_id in behind:
            self._metrics.looked_up(LookupResult.UNAVAILABLE)
            return _UNKNOWN
        self.forget(customer_id)
        self._metrics.looked_up(LookupResult.ABSENT)
        return _ABSENT

    def _from_cache(self, customer_id: str) -> Found:
        kept = self._cache.get(customer_id)
        if kept is None or self._clock_s() - kept[0] > CACHED_FOR_S:
            self._metrics.looked_up(LookupResult.UNAVAILABLE)
            return _UNKNOWN
        self._metrics.looked_up(LookupResult.CACHE)
        return self._opened(kept[1])

    def _keep(self, row: ContactRow) -> None:
        self._cache[row.customer_id] = (self._clock_s(), row)
        self._cache.move_to_end(row.customer_id)
        while len(self._cache) > self._cache_rows:
            self._cache.popitem(last=False)

    def _opened(self, row: ContactRow) -> Found:
        """Decrypt a row; what does not decrypt is a fault of ours, so it waits and is never read as "no contact"."""
        try:
            key = self._master.unwrap(row.wrapped_key, customer_id=row.customer_id)
            return Found(is_known=True, fields=_clear(row, key))
        except ContactUnreadable as error:
            _log.error("contact_unreadable", customer=row.customer_id, error=str(error))
            return _UNKNOWN


def _is_whole(row: ContactRow | None) -> bool:
    """Whether a row came with the key it needs; one without is erased, or its key has not arrived yet."""
    return row is not None and bool(row.wrapped_key)


def _clear(row: ContactRow, key: DataKey) -> dict[str, str]:
    return {
        name: key.open(sealed, customer_id=row.customer_id, name=name, version=row.version)
        for name, sealed in row.fields.items()
    }
