"""The contact store's keeper: what it waits for, what it takes up again, and who stays erased (S09)."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from connectors.contacts.crypto import MasterKey
from connectors.contacts.projection import Projection
from connectors.contacts.sealing import ContactSealer
from connectors.memory import MemoryContactStore
from connectors.metrics import ContactsMetrics
from connectors.ports import StoreAway
from schemas import topics
from schemas.codec import packaged_codec
from schemas.errors import SchemaUnavailable
from schemas.identity import HEARTBEAT_KEY, erased_fence, paid_fence
from schemas.transport.errors import BrokerRefused, BrokerUnavailable, InputsLost
from schemas.transport.records import Position, Record, TopicPartition
from schemas.vocabulary import FenceKind
from tests.builders import a_fence, a_heartbeat

CODEC = packaged_codec()
MASTER = MasterKey(key_id="m", octets=b"m" * 32)
WITHIN_S = 5.0


@dataclass
class Topics:
    """The topics that the keeper reads, one partition each; it is told troubles to meet, one a poll."""

    records: list[Record] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    at: dict[TopicPartition, int] = field(default_factory=dict)

    def append(self, topic: str, key: bytes, value: bytes | None) -> None:
        tp = TopicPartition(topic, 0)
        offset = self.ends([tp])[tp]
        self.records.append(
            Record(topic=topic, partition=0, offset=offset, key=key, value=value, appended_at_ms=0, headers=())
        )

    def ends(self, asked: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {tp: sum(record.topic == tp.topic for record in self.records) for tp in asked}

    def beginnings(self, asked: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(asked, 0)

    def assignment(self) -> tuple[TopicPartition, ...]:
        return tuple(self.at)

    def assign(self, positions: Iterable[Position]) -> None:
        self.at.update({one.tp: one.offset for one in positions})

    def unassign(self, partitions: Iterable[TopicPartition]) -> None:
        for tp in tuple(partitions):
            del self.at[tp]

    def positions(self) -> dict[TopicPartition, int]:
        return dict(self.at)

    def poll(self, max_records: int, within_ms: int) -> list[Record]:
        del max_records, within_ms
        if self.troubles:
            raise self.troubles.pop(0)
        found = [one for one in self.records if one.offset >= self.at[TopicPartition(one.topic, 0)]]
        self.at.update({TopicPartition(one.topic, 0): one.offset + 1 for one in found})
        return found

    def know(self, customer: str, version: int = 1) -> None:
        sealed = ContactSealer(master=MASTER).seal(
            customer_id=customer, version=version, occurred_at_ms=0, event_id="e", fields={"name": f"{version}"}
        )
        self.append(topics.CONTACT_KEY, customer.encode(), CODEC.encode(sealed.key))
        self.append(topics.CONTACT, customer.encode(), CODEC.encode(sealed.contact))


def keeper(place: Topics, store: MemoryContactStore) -> Projection:
    return Projection(
        store=store,
        reader=place,  # type: ignore[arg-type]  # as much of a reader as the keeper uses
        ends=place.ends,
        beginnings=place.beginnings,
        codec=CODEC,
        partitions=1,
        metrics=ContactsMetrics(),
    )


def keep(projection: Projection, until: Callable[[], bool]) -> None:
    """Run the keeper until a fact holds."""

    async def work() -> None:
        stopped = asyncio.Event()
        running = asyncio.create_task(projection.run(stopped))
        try:
            async with asyncio.timeout(WITHIN_S):
                while not until() and not running.done():
                    await asyncio.wait([running], timeout=0.005)
        finally:
            stopped.set()
            await running

    asyncio.run(work())


def version_of(store: MemoryContactStore, customer: str) -> int | None:
    """The version that can be read, None for nobody."""
    row = asyncio.run(store.look_up([customer])).rows.get(customer)
    return row.version if row is not None and row.wrapped_key else None


@pytest.mark.parametrize(
    "trouble",
    [
        BrokerUnavailable("list offsets: _TIMED_OUT"),
        BrokerRefused("not allowed to read"),
        InputsLost("offset 3 is gone"),
        SchemaUnavailable("schema id 7"),
        StoreAway("ConnectionError"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_whatever_is_away_is_waited_for_and_told_once(trouble: Exception) -> None:
    place, store = Topics(troubles=[trouble, trouble]), MemoryContactStore()
    place.know("c1")
    projection = keeper(place, store)
    with capture_logs() as told:
        keep(projection, lambda: projection.is_level)
    assert version_of(store, "c1") == 1
    assert [line["event"] for line in told if line["event"] in {"contacts_waiting", "trouble_over"}] == [
        "contacts_waiting",
        "trouble_over",
    ]


def test_a_rebuild_that_was_killed_is_ended_by_the_next_keeper() -> None:
    place, store = Topics(), MemoryContactStore()
    place.know("c1")
    start = dict.fromkeys(keeper(place, store)._tps, 0)  # noqa: SLF001
    asyncio.run(store.begin_building(start))  # and then kill -9
    projection = keeper(place, store)
    keep(projection, lambda: projection.is_level)
    assert not asyncio.run(store.look_up([])).is_building
    assert version_of(store, "c1") == 1


def test_an_erased_customer_stays_erased_although_a_late_contact_is_all_that_compaction_left() -> None:
    place, store = Topics(), MemoryContactStore()
    place.know("c1", version=9)
    place.know("c2")
    key = erased_fence("c1")
    fence = a_fence(fence_key=key, kind=FenceKind.ERASED, customer_id="c1")
    place.append(topics.FENCE, key.encode(), CODEC.encode(fence))
    projection = keeper(place, store)
    keep(projection, lambda: projection.is_level)
    assert (version_of(store, "c1"), version_of(store, "c2")) == (None, 1)
    place.know("c1", version=10)
    place.know("c2", version=10)
    successor = keeper(place, store)
    keep(successor, lambda: successor.is_level)
    assert (version_of(store, "c1"), version_of(store, "c2")) == (None, 10)


def test_other_fences_and_heartbeats_change_no_contact() -> None:
    place, store = Topics(), MemoryContactStore()
    place.know("c1")
    key = paid_fence("c1", "k1", "t1")
    paid = CODEC.encode(a_fence(fence_key=key, kind=FenceKind.PAID, customer_id="c1"))
    place.append(topics.FENCE, key.encode(), paid)
    place.append(topics.FENCE, HEARTBEAT_KEY, CODEC.encode(a_heartbeat()))
    place.append(topics.FENCE, erased_fence("c1").encode(), None)
    projection = keeper(place, store)
    keep(projection, lambda: projection.is_level)
    assert version_of(store, "c1") == 1
