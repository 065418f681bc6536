"""Fence first, then read: what a predecessor commits meanwhile is refused, never lost or doubled (I2)."""

from collections.abc import Iterable, Mapping

from schemas.topics import CUSTOMER, DECISION
from schemas.transport.errors import Fenced
from schemas.transport.records import TopicPartition
from streams.memory_log import MemoryLog, MemoryProducer
from tests.unit.streams.looking import ANN, said
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world


class RacedLog(MemoryLog):
    """A log whose old owner tries to commit right after the new one has read the positions."""

    predecessor: MemoryProducer | None = None
    is_shut_out = False

    def committed(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        found = super().committed(tps)
        if self.predecessor is not None:
            try:
                self.predecessor.commit()
            except Fenced:
                type(self).is_shut_out = True
        return found


@in_a_world
async def test_i2_a_predecessor_cannot_commit_behind_the_positions_that_were_read() -> None:
    world = World(ProbingBrain())
    await world.start()
    world.publish(CUSTOMER, ANN, b"ann:say once")
    slow = world.log.producers[0]
    slow.begin()
    slow.produce(DECISION, ANN, b"once", 0)
    slow.send_offsets({TopicPartition(CUSTOMER, 0): 1})
    RacedLog.predecessor = slow
    world.log_of = RacedLog
    await world.start()
    RacedLog.predecessor = None
    await world.pump()
    assert RacedLog.is_shut_out
    assert said(world) == [b"once"]
