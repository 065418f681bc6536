"""The engine: owns co-partitions, hands each its batches, and gives them up in order (I2, I9)."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from schemas.topics import INPUTS, TICK
from schemas.transport.errors import BrokerUnavailable
from schemas.transport.records import TopicPartition
from streams.copartition import CoPartition
from streams.intake import Batch
from streams.lane import Lane, Works
from streams.log import Executor, Log
from streams.metrics import Metrics
from streams.opening import Opening

PATIENCE_MS = 1_000
log = structlog.get_logger("perennial.engine")


@dataclass(slots=True)
class Owned:
    """A co-partition at work."""

    part: CoPartition
    lane: Lane
    task: asyncio.Task[None]


class Engine:
    """All co-partitions of one worker; the frame tells it what it owns and what arrived."""

    def __init__(
        self, *, works: Works, opening: Opening, log: Log, executor: Executor, metrics: Metrics, most_backlog: int
    ) -> None:
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._works, self._opening, self._log, self._executor, self._metrics = works, opening, log, executor, metrics
        self._most_backlog = most_backlog
        self._owned: dict[int, Owned] = {}
        self._gone: set[int] = set()
        self._taking = asyncio.Lock()
        self._is_accepting = False

    @property
    def partitions(self) -> frozenset[int]:
        """The co-partitions owned now."""
        return frozenset(self._owned)

    @property
    def is_ready(self) -> bool:
        """Whether everything assigned is being served."""
        return self._is_accepting

    def has_room(self, partition: int) -> bool:
        """Tell, from any thread, whether more may be fetched for a partition."""
        owned = self._owned.get(partition)
        return owned is not None and owned.lane.backlog < self._most_backlog

    def part(self, partition: int) -> CoPartition:
        """Give an owned co-partition, for metrics and health."""
        return self._owned[partition].part

    def submit(self, batch: Batch) -> None:
        """Hand a batch to its lane; what nobody owns any more is dropped, its position never moved."""
        owned = self._owned.get(batch.partition)
        if owned is not None and self._is_accepting:
            owned.lane.put(batch)

    def reassigned(self, wanted: Collection[int]) -> None:
        """Note an assignment at once: what it lacks was somebody else's meanwhile and must be fenced anew."""
        self._gone |= self._owned.keys() - set(wanted)

    async def quiesce(self) -> None:
        """Take nothing more, drop what is queued, let running commits end; producers and stores are kept (I9)."""
        self._is_accepting = False
        self._metrics.worker_ready.set(0)
        await asyncio.gather(*(owned.lane.quiesce() for owned in self._owned.values()))

    async def take(self, wanted: Collection[int]) -> None:
        """Own exactly these co-partitions: give up the others, keep those already owned, open the rest."""
        taking = asyncio.ensure_future(self._take(frozenset(wanted)))
        taking.add_done_callback(_heard)
        await asyncio.shield(taking)  # the frame cancels us when the next rebalance comes

    def starts(self) -> dict[TopicPartition, int]:
        """Tell where each input is to be read from."""
        return {
            TopicPartition(topic, number): owned.part.positions[topic]
            for number, owned in self._owned.items()
            for topic in INPUTS
        }

    def resume(self, epoch: int) -> None:
        """Accept slices fetched since the seek that began this epoch."""
        for owned in self._owned.values():
            owned.part.epochs = dict.fromkeys(INPUTS, epoch)
            owned.lane.resume()
        self._is_accepting = True
        self._metrics.worker_ready.set(1)

    async def close(self) -> None:
        """Give up everything in order."""
        await self.quiesce()
        await self._give_up(list(self._owned))

    async def _take(self, wanted: frozenset[int]) -> None:
        async with self._taking:
            await self.quiesce()
            await self._give_up([number for number in self._owned if number not in wanted or number in self._gone])
            self._gone.clear()
            fresh = sorted(wanted - self._owned.keys())
            kept = sorted(self._owned)
            for part in await self._open(fresh):
                self._own(part)
            await self._read_ticks_from_their_last(kept)
            self._metrics.partitions_owned.set(len(self._owned))
            self._metrics.rebalances.inc()
            log.info("partitions_taken", kept=kept, opened=fresh)

    async def _open(self, numbers: list[int]) -> list[CoPartition]:
        """Open partitions, waiting for brokers that are away; whoever is fenced meanwhile learns it from them."""
        while numbers:
            try:
                return await self._opening.open(numbers)
            except BrokerUnavailable as error:
                log.warning("partitions_wait_for_brokers", partitions=numbers, detail=str(error))
                await self._works.clock.pause(PATIENCE_MS)
        return []

    def _own(self, part: CoPartition) -> None:
        lane = Lane(part, self._works)
        task = asyncio.get_running_loop().create_task(lane.run(), name=f"lane-{part.number}")
        task.add_done_callback(self._lane_ended)
        lane.pause()
        self._owned[part.number] = Owned(part, lane, task)

    def _lane_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """End the worker for this cause, unless it is ending already."""
        if not self.failed.done():
            self.failed.set_result(error)

    async def _give_up(self, numbers: Collection[int]) -> None:
        given_up = [self._owned.pop(number) for number in numbers]
        for owned in given_up:
            owned.task.cancel()
        await asyncio.gather(*(self._executor.run(_let_go, owned.part) for owned in given_up))
        for number in numbers:
            self._metrics.forget_partition(number)

    async def _read_ticks_from_their_last(self, numbers: Collection[int]) -> None:
        """Skip the ticks that went by; only the newest one tells the time (I3, I10)."""
        if not numbers:
            return
        tps = [TopicPartition(TICK, number) for number in numbers]
        first = await self._executor.run(self._log.beginning_offsets, tps)
        end = await self._executor.run(self._log.end_offsets, tps)
        for tp in tps:
            self._owned[tp.partition].part.positions[TICK] = max(first[tp], end[tp] - 1)


def _heard(taking: asyncio.Future[None]) -> None:
    """Take note of a taking that failed when nobody waited for it any more; the next one opens it all again."""
    if not taking.cancelled() and (error := taking.exception()) is not None:
        log.warning("taking_failed", cause=type(error).__name__, detail=str(error))


def _let_go(part: CoPartition) -> None:
    part.producer.close()
    part.rows.close()
