"""A whole engine in memory, moved by hand: publish, tick, pump, crash, and look at what came of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from schemas.changelog import META_ROW, MetaRow, decode_meta
from schemas.codec import packaged_codec
from schemas.events import Tick
from schemas.identity import HEARTBEAT_KEY
from schemas.outputs import DeadLetter, FenceRaised, HeartbeatSent
from schemas.topics import BARRIER, DEAD_LETTER, FENCE, INPUTS, TICK, changelog_topic, partition_key
from schemas.transport.records import TopicPartition
from streams.brain import Brain
from streams.engine import Engine
from streams.intake import Batch, Slice
from streams.memory import HandClock, InlineExecutor
from streams.memory_log import MemoryCluster, MemoryLog, MemoryRecord
from streams.metrics import Metrics
from streams.settings import WorkerSettings
from streams.stores import MemoryStores
from streams.worker import Ports, build_engine

APPLICATION = "world"
_TURNS = 400
T = TypeVar("T", bound=msgspec.Struct)


class MemoryIntake:
    """Labelled reading of a cluster in memory; what it was told to seek is kept for the tests."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self.labels: dict[TopicPartition, int] = {}
        self.epoch = 0
        self.seeks: list[dict[TopicPartition, int]] = []

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> int:
        self.epoch += 1
        self.labels.update(offsets)
        self.seeks.append(dict(offsets))
        return self.epoch

    def fetch(self, partition: int, topics: tuple[str, ...] = INPUTS) -> Batch:
        """Bring what is committed of these inputs, and pass their markers."""
        slices = []
        for topic in topics:
            tp = TopicPartition(topic, partition)
            start, end = self.labels[tp], self._cluster.stable_end(tp)
            if end > start:
                slices.append(Slice(tp, start, end, self._cluster.committed_records(tp, start), self.epoch))
                self.labels[tp] = end
        return Batch(partition, tuple(slices))


class World:
    """A cluster and one engine on it, which can be crashed and replaced."""

    log_of: type[MemoryLog] = MemoryLog

    def __init__(self, brain: Brain, *, partitions: int = 1, is_time_virtual: bool = True, **settings: int) -> None:
        self.cluster = MemoryCluster(partitions)
        self.codec = packaged_codec()
        self.brain, self.partitions = brain, partitions
        self.stores = MemoryStores()
        self.clock = HandClock()
        self._settings = WorkerSettings(
            bootstrap_servers="nowhere",
            application=APPLICATION,
            partitions=partitions,
            virtual_time=is_time_virtual,
            **settings,  # type: ignore[arg-type]  # whole numbers only
        )

    async def start(self, owned: tuple[int, ...] | None = None) -> None:
        """Start an engine that owns these partitions."""
        self.metrics = Metrics()
        self.intake = MemoryIntake(self.cluster)
        self.log = self.log_of(self.cluster, APPLICATION)
        self.engine: Engine = build_engine(
            self._settings,
            self.brain,
            Ports(
                log=self.log,
                executor=InlineExecutor(),
                clock=self.clock,
                stores=self.stores,
                intake=self.intake,
                metrics=self.metrics,
            ),
        )
        await self.own(tuple(range(self.partitions)) if owned is None else owned)

    async def own(self, owned: tuple[int, ...]) -> None:
        """Give the engine an assignment."""
        await self.engine.quiesce()
        self.engine.reassigned(owned)
        await self.engine.take(owned)
        self.engine.resume(await self.intake.seek(self.engine.starts()))

    async def restart(self, *, without_store: bool = False) -> None:
        """Crash: forget everything that was not committed, and start again."""
        if without_store:
            self.stores = MemoryStores()
        await self.start()

    def publish(
        self, topic: str, key: bytes | None, record: msgspec.Struct | bytes | None, partition: int | None = None
    ) -> int:
        """Append an input, as upstream would."""
        value = self.codec.encode(record) if isinstance(record, msgspec.Struct) else record
        return self.cluster.append(topic, key, value, partition)

    def tick(self, now_ms: int, barrier: Mapping[str, int] | None = None, partition: int = 0) -> None:
        """Append a tick, by default with the ends of the inputs as they are."""
        ends = {topic: self.cluster.end(TopicPartition(topic, partition)) for topic in BARRIER}
        tick = Tick(now_ms=now_ms, barrier=ends if barrier is None else dict(barrier), clock_id="test")
        self.publish(TICK, partition_key(partition), tick, partition=partition)

    async def pump(self, *topics: str) -> None:
        """Bring everything that is there and let the lanes come to rest."""
        for partition in sorted(self.engine.partitions):
            self.engine.submit(self.intake.fetch(partition, topics or INPUTS))
        await self.rest()

    async def rest(self) -> None:
        """Let every lane work until it is idle; a failed engine raises its cause."""
        await self.settle()
        if self.engine.failed.done():
            raise self.engine.failed.result()

    async def settle(self) -> None:
        """Let every lane work until it is idle, or for a while where it waits for something."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def turn(self) -> None:
        """Let every task that is ready go on once."""
        await asyncio.sleep(0)

    async def until(self, happened: Callable[[], object]) -> None:
        """Let the lanes work just until something has happened."""
        for _ in range(_TURNS):
            if happened():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never happened")

    async def fed(self, topic: str, key: bytes, record: msgspec.Struct | bytes, now_ms: int | None = None) -> None:
        """Publish one input, maybe a tick after it, and pump."""
        self.publish(topic, key, record)
        if now_ms is not None:
            self.tick(now_ms)
        await self.pump()

    def records(self, topic: str, partition: int = 0) -> list[MemoryRecord]:
        """What a reader of committed records sees."""
        return self.cluster.committed_records(TopicPartition(topic, partition), 0)

    def decoded(self, topic: str, kind: type[T], partition: int = 0) -> list[T]:
        """The same, decoded; tombstones left out."""
        return [self.codec.decode(one.value, kind) for one in self.records(topic, partition) if one.value is not None]

    def dead_letters(self, partition: int = 0) -> list[DeadLetter]:
        return self.decoded(DEAD_LETTER, DeadLetter, partition)

    def fences(self, partition: int = 0) -> dict[bytes, FenceRaised | None]:
        """The fences as a compacted reader has them; a lifted one is None."""
        found: dict[bytes, FenceRaised | None] = {}
        for one in self.records(FENCE, partition):
            if one.key and one.key != HEARTBEAT_KEY:
                found[one.key] = None if one.value is None else self.codec.decode(one.value, FenceRaised)
        return found

    def heartbeats(self, partition: int = 0) -> list[HeartbeatSent]:
        return [
            self.codec.decode(one.value, HeartbeatSent)
            for one in self.records(FENCE, partition)
            if one.key == HEARTBEAT_KEY
        ]

    def changelog(self, partition: int = 0) -> dict[bytes, bytes]:
        """The rows that a restore on an empty disk would have."""
        rows: dict[bytes, bytes] = {}
        for one in self.records(changelog_topic(APPLICATION), partition):
            if one.value is None:
                rows.pop(one.key or b"", None)
            else:
                rows[one.key or b""] = one.value
        return rows

    def meta(self, partition: int = 0) -> MetaRow:
        return decode_meta(self.changelog(partition)[META_ROW])

    def position(self, topic: str, partition: int = 0) -> int:
        return self.cluster.positions[TopicPartition(topic, partition)]


def in_a_world(play: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run an async test on a loop of its own."""

    def run() -> None:
        asyncio.run(play())  # type: ignore[arg-type]  # a test is a coroutine function

    run.__name__, run.__doc__ = getattr(play, "__name__", "test"), play.__doc__
    return run
