"""One suite for every contact store: the one in Redis and its twin in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from redis.asyncio import Redis

from connectors.contacts.redis_store import RedisContactStore
from connectors.memory import MemoryContactStore
from connectors.ports import ContactChange, ContactErased, ContactPut, ContactStore, KeyPut, KeysErased, StoreAway
from schemas.transport.records import TopicPartition

T = TypeVar("T")
WithStore = Callable[[Callable[[ContactStore], Awaitable[T]]], T]
CONTACT, KEY = TopicPartition("contact", 0), TopicPartition("key", 0)
START = {CONTACT: 0, KEY: 0}
PUT = ContactPut(customer_id="c-1", version=2, key_id="k2", fields={"email": b"\x00\xff", "name": b"n"})
KEYS = (
    KeyPut(customer_id="c-1", key_id="k1", wrapped_key=b"w1"),
    KeyPut(customer_id="c-1", key_id="k2", wrapped_key=b"w2"),
)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.integration)])
def with_store(request: pytest.FixtureRequest, prefix: str) -> WithStore[object]:
    """Run a piece of work with a fresh store."""
    memory = MemoryContactStore()

    async def on_redis(work: Callable[[ContactStore], Awaitable[object]]) -> object:
        redis = Redis.from_url(request.getfixturevalue("redis_url"))
        try:
            return await work(RedisContactStore(redis, prefix=prefix))
        finally:
            if keys := await redis.keys(f"{prefix}*"):
                await redis.delete(*keys)
            await redis.aclose()

    async def in_memory(work: Callable[[ContactStore], Awaitable[object]]) -> object:
        return await work(memory)

    chosen = on_redis if request.param == "redis" else in_memory
    return lambda work: asyncio.run(chosen(work))


def test_rows_come_back_with_the_key_they_need(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        assert await store.apply([PUT, *KEYS], before=START, after={CONTACT: 1, KEY: 2})
        looked = await store.look_up(["c-1", "c-2"])
        assert set(looked.rows) == {"c-1"}
        row = looked.rows["c-1"]
        assert (row.version, row.key_id, row.wrapped_key, row.fields) == (2, "k2", b"w2", PUT.fields)
        assert looked.positions == {CONTACT: 1, KEY: 2}

    with_store(work)


def test_an_older_version_changes_nothing_and_the_same_again_neither(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        older = ContactPut(customer_id="c-1", version=1, key_id="k1", fields={"name": b"old"})
        assert await store.apply([PUT, older, PUT, *KEYS], before=START, after={CONTACT: 3, KEY: 2})
        assert (await store.look_up(["c-1"])).rows["c-1"].fields == PUT.fields

    with_store(work)


def test_a_new_version_leaves_nothing_of_the_old(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        newer = ContactPut(customer_id="c-1", version=3, key_id="k2", fields={"email": b"new"})
        assert await store.apply([PUT, newer, *KEYS], before=START, after={CONTACT: 2, KEY: 2})
        assert (await store.look_up(["c-1"])).rows["c-1"].fields == {"email": b"new"}

    with_store(work)


def test_erasure_leaves_neither_contact_nor_keys(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        assert await store.apply([PUT, *KEYS], before=START, after={CONTACT: 1, KEY: 2})
        gone: list[ContactChange] = [KeysErased(customer_id="c-1"), ContactErased(customer_id="c-1")]
        assert await store.apply(gone, before={CONTACT: 1, KEY: 2}, after={CONTACT: 2, KEY: 3})
        assert (await store.look_up(["c-1"])).rows == {}

    with_store(work)


def test_the_erased_stay_erased_whatever_comes_late(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        gone: list[ContactChange] = [PUT, KeysErased(customer_id="c-1"), ContactErased(customer_id="c-1")]
        assert await store.apply(gone, before=START, after={CONTACT: 2, KEY: 1})
        assert await store.apply([PUT, *KEYS], before={CONTACT: 2, KEY: 1}, after={CONTACT: 3, KEY: 3})
        assert (await store.look_up(["c-1"])).rows == {}

    with_store(work)


def test_without_its_keys_a_contact_stays_unreadable_whatever_comes_late(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        changes: list[ContactChange] = [PUT, KeysErased(customer_id="c-1"), *KEYS]
        assert await store.apply(changes, before=START, after={CONTACT: 1, KEY: 3})
        assert (await store.look_up(["c-1"])).rows["c-1"].wrapped_key == b""

    with_store(work)


def test_nothing_is_written_onto_positions_that_are_not_ours(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        assert not await store.apply([PUT], before={CONTACT: 5, KEY: 0}, after={CONTACT: 6, KEY: 0})
        assert (await store.look_up(["c-1"])).rows == {}
        assert await store.positions() == START

    with_store(work)


def test_a_store_that_is_rebuilt_says_so_and_starts_empty(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        await store.begin_building(START)
        assert await store.apply([PUT, *KEYS], before=START, after={CONTACT: 1, KEY: 2})
        await store.end_building()
        assert not (await store.look_up([])).is_building
        await store.begin_building(START)
        looked = await store.look_up(["c-1"])
        assert looked.is_building
        assert looked.rows == {}
        assert await store.positions() == START

    with_store(work)


def test_an_empty_store_has_no_positions(with_store: WithStore[None]) -> None:
    async def work(store: ContactStore) -> None:
        assert await store.positions() == {}
        assert not await store.apply([PUT], before=START, after=START)

    with_store(work)


def test_a_redis_that_does_not_answer_is_away() -> None:
    async def work() -> None:
        store = RedisContactStore(Redis(host="127.0.0.1", port=1), prefix="x")
        with pytest.raises(StoreAway):
            await store.positions()
        with pytest.raises(StoreAway):
            await store.look_up(["c-1"])
        with pytest.raises(StoreAway):
            await store.apply([], before={}, after={})

    asyncio.run(work())
