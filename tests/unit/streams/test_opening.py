"""A taking that fails leaves nothing open behind it, so that the next one finds its stores free (I9)."""

import asyncio
from collections.abc import Iterator

import pytest
import structlog

from schemas.topics import CUSTOMER
from schemas.transport.errors import BrokerUnavailable
from schemas.transport.records import TopicPartition
from streams.log import Stretch
from streams.memory import MemoryRows
from streams.memory_log import MemoryLog
from streams.store import Rows
from streams.stores import MemoryStores
from tests.unit.streams.looking import ANN, said
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world


class LockedRows(MemoryRows):
    """Rows that one opener at a time may have."""

    is_open = False

    def close(self) -> None:
        self.is_open = False


class LockedStores(MemoryStores):
    """Stores that tell when somebody opens what he holds already, as a second slot on a disk would."""

    def open(self, partition: int) -> Rows:
        rows = self.rows.setdefault(partition, LockedRows())
        assert isinstance(rows, LockedRows)
        assert not rows.is_open, f"the store of partition {partition} is locked"
        rows.is_open = True
        return rows

    def discard(self, partition: int, rows: Rows) -> Rows:
        rows.close()
        del self.rows[partition]
        return self.open(partition)


class FailingLog(MemoryLog):
    """A log in which the changelog of one partition cannot be read for a while."""

    failures: tuple[Exception, ...] = ()
    broken = 1

    def read_to_end(self, tp: TopicPartition, from_offset: int) -> Iterator[Stretch]:
        if tp.partition == self.broken and self.failures:
            error, *rest = self.failures
            type(self).failures = tuple(rest)
            raise error
        return super().read_to_end(tp, from_offset)


def fail_next(*failures: Exception) -> None:
    FailingLog.failures = failures


def world_with(*failures: Exception, broken: int = 1) -> World:
    world = World(ProbingBrain(), partitions=3)
    world.stores = LockedStores()
    world.log_of = FailingLog
    FailingLog.broken = broken
    fail_next(*failures)
    return world


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_i9_a_restore_that_failed_leaves_every_store_free_for_the_next_try(broken: int) -> None:
    @in_a_world
    async def play() -> None:
        world = world_with(*(BrokerUnavailable("away") for _ in range(9)), broken=broken)
        await world.start()
        world.publish(CUSTOMER, ANN, b"ann:say on", partition=None)
        await world.pump()
        assert [said(world, number) for number in range(3)].count([b"on"]) == 1

    play()


@in_a_world
async def test_i9_a_taking_that_failed_behind_the_next_rebalance_is_heard_and_left_clean() -> None:
    world = world_with()
    await world.start(owned=())
    fail_next(RuntimeError("broken"))
    first = asyncio.ensure_future(world.engine.take({0, 1, 2}))
    await world.turn()
    first.cancel()
    with structlog.testing.capture_logs() as told:
        await world.settle()
    assert [line["event"] for line in told] == ["taking_failed"]
    assert not FailingLog.failures
    await world.own((0, 1, 2))
    assert world.engine.partitions == {0, 1, 2}
