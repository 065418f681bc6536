"""A store that is not of this partition, application or changelog is never served (I4, F11)."""

import msgspec
import pytest

from schemas.topics import CUSTOMER
from streams.store import OWNER_ROW, Owner
from streams.stores import MemoryStores
from tests.unit.streams.looking import ANN
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world

NOBODY = b"c|nobody"


def foreign_tag(world: World, **change: object) -> bytes:
    """The tag of a store that differs in one thing from what partition 0 expects."""
    owner = Owner(application="world", partition=0, incarnation=world.meta().incarnation)
    return msgspec.msgpack.encode(msgspec.structs.replace(owner, **change))


async def served_after(world: World, tag: bytes) -> bool:
    """Put a foreign row and a tag into the store, restart, and tell whether the row is served."""
    rows = world.stores.rows[0]
    rows.write({NOBODY: b"of another", OWNER_ROW: tag})
    await world.restart()
    return world.engine.part(0).rows.get(NOBODY) is not None


@pytest.mark.parametrize("change", [{"partition": 1}, {"application": "other"}, {"incarnation": "before"}])
def test_i4_a_store_under_a_foreign_tag_is_discarded(change: dict[str, object]) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        await world.fed(CUSTOMER, ANN, b"ann:first")
        assert not await served_after(world, foreign_tag(world, **change))
        assert world.engine.part(0).rows.get(b"c|ann") == world.changelog()[b"c|ann"]

    play()


@in_a_world
async def test_i4_a_store_under_its_own_tag_is_kept() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first")
    assert await served_after(world, foreign_tag(world))


@in_a_world
async def test_f11_swapped_stores_of_two_partitions_are_both_rebuilt() -> None:
    world = World(ProbingBrain(), partitions=2)
    await world.start()
    for number in range(8):
        key = b"c%d" % number
        world.publish(CUSTOMER, key, key + b":first")
    await world.pump()
    stores = world.stores
    swapped = MemoryStores()
    swapped.rows = {0: stores.rows[1], 1: stores.rows[0]}
    world.stores = swapped
    await world.restart()
    for partition in (0, 1):
        known = {row for row, _ in world.engine.part(partition).rows.scan(b"c|", b"c|")}
        assert known == {row for row in world.changelog(partition) if row.startswith(b"c|")}
