"""Contacts right before the call: a miss is believed only of a whole store, a cache carries on for a while (R74)."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from structlog.testing import capture_logs

from connectors.contacts.book import AWAY_FOR_S, CACHED_FOR_S, ContactBook
from connectors.contacts.crypto import MasterKey
from connectors.contacts.sealing import ContactSealer
from connectors.memory import MemoryContactStore
from connectors.metrics import DeliveryMetrics
from connectors.ports import ContactErased, ContactPut, Found, KeyPut, KeysErased
from schemas import topics
from schemas.errors import TransportError
from schemas.transport.errors import BrokerRefused, BrokerUnavailable, Fenced
from schemas.transport.records import TopicPartition
from schemas.vocabulary import Channel

MASTER = MasterKey(key_id="m", octets=b"m" * 32)
CONTACT, KEY = TopicPartition(topics.CONTACT, 0), TopicPartition(topics.CONTACT_KEY, 0)
ANNA = {"name": "Anna", "email": "anna@example.com"}


class Shelf:
    """A store with its book, and how far the topics go."""

    def __init__(self, *, cache_rows: int = 10, master: MasterKey = MASTER) -> None:
        self.store, self.now_s = MemoryContactStore(), 0.0
        self.ends: dict[TopicPartition, int] = {CONTACT: 0, KEY: 0}
        self.ends_trouble: TransportError | None = None
        self.book = ContactBook(
            self.store,
            master=master,
            ends=self._ends,
            partitions=1,
            metrics=DeliveryMetrics(Channel.EMAIL),
            cache_rows=cache_rows,
            clock_s=lambda: self.now_s,
        )
        asyncio.run(self.store.begin_building({CONTACT: 0, KEY: 0}))
        asyncio.run(self.store.end_building())

    def put(self, customer: str, version: int = 1, fields: Mapping[str, str] = ANNA) -> None:
        sealed = ContactSealer(master=MASTER).seal(
            customer_id=customer, version=version, occurred_at_ms=0, event_id="e", fields=fields
        )
        contact = ContactPut(
            customer_id=customer, version=version, key_id=sealed.key.key_id, fields=sealed.contact.fields
        )
        key = KeyPut(customer_id=customer, key_id=sealed.key.key_id, wrapped_key=sealed.key.wrapped_key)
        self.apply(contact, key)

    def apply(self, *changes: ContactPut | KeyPut | ContactErased | KeysErased) -> None:
        before = dict(self.ends)
        self.ends = {CONTACT: self.ends[CONTACT] + 1, KEY: self.ends[KEY] + 1}
        assert asyncio.run(self.store.apply(changes, before=before, after=self.ends))

    def look(self, customer: str = "c1") -> Found:
        return asyncio.run(self.book.look_up([customer]))[customer]

    def _ends(self, asked: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        if self.ends_trouble is not None:
            raise self.ends_trouble
        return {tp: self.ends[tp] for tp in asked}


def test_a_contact_is_found_in_clear() -> None:
    shelf = Shelf()
    shelf.put("c1")
    assert shelf.look().fields == ANNA


def test_a_miss_is_believed_of_a_store_that_has_read_everything() -> None:
    assert Shelf().look() == Found(is_known=True)


def test_a_miss_is_not_believed_of_a_store_that_is_behind() -> None:
    shelf = Shelf()
    shelf.ends[CONTACT] = 7
    assert not shelf.look().is_known


@pytest.mark.parametrize("kind", [BrokerUnavailable, BrokerRefused, Fenced, TransportError])
def test_a_miss_is_not_believed_while_nobody_knows_how_far_the_topics_go(kind: type[TransportError]) -> None:
    shelf = Shelf()
    shelf.ends_trouble = kind("no answer")
    assert not shelf.look().is_known
    shelf.ends_trouble = None
    assert shelf.look() == Found(is_known=True)


def test_a_store_that_is_away_is_told_once_and_so_is_its_return() -> None:
    shelf = Shelf()
    shelf.store.is_away = True
    with capture_logs() as told:
        for _ in range(3):
            shelf.look()
            shelf.now_s += AWAY_FOR_S
        shelf.store.is_away = False
        shelf.look()
    assert [line["event"] for line in told] == ["contact_store_away", "trouble_over"]


def test_a_flushed_store_is_not_read_as_no_contact() -> None:
    shelf = Shelf()
    shelf.put("c1")
    shelf.store.flush()
    assert not shelf.look().is_known


def test_while_the_store_is_away_the_cache_carries_on_for_a_quarter_of_an_hour() -> None:
    shelf = Shelf()
    shelf.put("c1")
    assert shelf.look().fields == ANNA
    shelf.store.is_away = True
    shelf.now_s = CACHED_FOR_S
    assert shelf.look().fields == ANNA
    assert not shelf.look("c2").is_known
    shelf.now_s = CACHED_FOR_S + 1
    assert not shelf.look().is_known


def test_an_erased_customer_leaves_store_and_cache() -> None:
    shelf = Shelf()
    shelf.put("c1")
    shelf.look()
    shelf.apply(KeysErased(customer_id="c1"), ContactErased(customer_id="c1"))
    assert shelf.look() == Found(is_known=True)
    shelf.store.is_away = True
    assert not shelf.look().is_known


def test_an_erased_fence_empties_the_cache_at_once() -> None:
    shelf = Shelf()
    shelf.put("c1")
    shelf.look()
    shelf.store.is_away = True
    shelf.book.forget("c1")
    assert not shelf.look().is_known


def test_without_its_key_a_contact_is_gone() -> None:
    shelf = Shelf()
    shelf.put("c1")
    shelf.apply(KeysErased(customer_id="c1"))
    assert shelf.look() == Found(is_known=True)


def test_the_wrong_master_key_makes_customers_wait_instead_of_vanish() -> None:
    shelf = Shelf(master=MasterKey(key_id="m", octets=b"x" * 32))
    shelf.put("c1")
    assert not shelf.look().is_known


def test_a_store_put_back_to_an_old_dump_is_not_believed() -> None:
    shelf = Shelf()
    shelf.put("c1")
    dump = (dict(shelf.store._contacts), dict(shelf.store._keys), dict(shelf.store._positions))  # noqa: SLF001
    shelf.put("c1", 2, {"email": "new@example.com"})
    assert shelf.look().fields == {"email": "new@example.com"}
    shelf.store._contacts, shelf.store._keys, shelf.store._positions = dump  # noqa: SLF001
    assert shelf.look().fields == {"email": "new@example.com"}  # from the cache


def test_the_cache_keeps_no_more_rows_than_it_may() -> None:
    shelf = Shelf(cache_rows=2)
    for customer in ("c1", "c2", "c3"):
        shelf.put(customer)
        shelf.look(customer)
    shelf.store.is_away = True
    assert [shelf.look(customer).is_known for customer in ("c1", "c2", "c3")] == [False, True, True]
