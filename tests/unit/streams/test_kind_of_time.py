"""Virtual and real time never meet: neither in a worker's own rows nor in what it says of itself (I10, I11)."""

import pytest

from schemas.errors import ExitError
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world

both_ways = pytest.mark.parametrize("is_time_virtual", [False, True])


@both_ways
def test_i11_a_heartbeat_says_which_time_its_partition_lives_in(is_time_virtual: bool) -> None:  # noqa: FBT001  a case
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain(), is_time_virtual=is_time_virtual)
        await world.start()
        world.cluster.at_ms = 10
        world.tick(10)
        await world.pump()
        assert {beat.is_virtual for beat in world.heartbeats()} == {is_time_virtual}

    play()


@both_ways
def test_i10_a_worker_refuses_a_partition_that_was_judged_in_another_time(is_time_virtual: bool) -> None:  # noqa: FBT001  a case
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain(), is_time_virtual=is_time_virtual)
        await world.start()
        await world.restart()
        other = World(ProbingBrain(), is_time_virtual=not is_time_virtual)
        other.cluster, other.stores = world.cluster, world.stores
        with pytest.raises(ExitError, match="data_versions_differ"):
            await other.start()

    play()
