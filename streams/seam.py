# aiokafka publishes no types, faust's fit its own classes only, and the seams we stand on are private names
# ruff: noqa: ANN401, ASYNC109, SLF001
# mypy: disable-error-code="arg-type,assignment,attr-defined,misc,override,redundant-expr,return-value,type-arg"
"""Faust as frame: the only module that knows faust, mode and aiokafka; every override is small and names its cause.

Faust gives membership, co-partitioned assignment and the agent. Its acknowledgements, commits, table sends and recovery
are not used: it commits offsets before the changelog is sent, loses messages in a recovery race and skips a record when
an agent raises (faust-streaming issues #323, #440, #517, #596, #606). What stands in their place is the engine.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from faust.events import Event
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import Service

from schemas.errors import ExitCode, ExitError
from schemas.topics import CONTRACT, ENGAGEMENT, INPUTS, TICK
from schemas.transport.records import TopicPartition
from streams.intake import Batch, Owner, Slice

POLL_S = 0.1  # markers move positions without waking the fetcher, so an idle poll must end soon (I6)
MOST_BULK_RECORDS = 2_500  # per partition and poll, a fetch of 1 MiB: an import never makes a payment wait
FETCH_WAIT_MS = 50
LEFTOVERS_WAIT_S = 0.02
_LAST = frozenset({CONTRACT, ENGAGEMENT})
_BUFFERED_BATCHES = 256
_REQUEST_TIMEOUT_S = 20.0
_NO_TIMESTAMP_TYPE = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePlan:
    """How the frame joins its group; times in ms."""

    bootstrap_servers: str
    application: str
    prefix: str
    partitions: int
    session_timeout_ms: int
    data_folder: Path
    instance_id: str = ""


class FaustIntake:
    """Runs the Faust app and hands the engine labelled batches; itself the engine's `Intake`."""

    def __init__(self, plan: FramePlan) -> None:
        self._plan = plan
        self.app: Any = None  # faust is untyped

    def attach(self, owner: Owner) -> None:
        """Build the app around its owner; nothing connects before `run`."""
        self.app = _app(self._plan, owner)

    async def run(self) -> None:
        """Join the group and work until `stop`; raises what crashed the frame."""
        app = self.app
        app.in_worker = True
        starting = asyncio.ensure_future(app.start())
        crashed = asyncio.ensure_future(app._crashed.wait())
        try:
            await asyncio.wait({starting, crashed}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            await crashed
        except KafkaError as error:
            raise _ended(error) from error
        finally:
            starting.cancel()
            crashed.cancel()
        raise _ended(app.crash_reason)

    async def stop(self) -> None:
        """Leave the group in order."""
        await self.app.stop()

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> int:
        """Seek in the fetching thread, where labels are made (I3)."""
        prefix = self._plan.prefix
        physical = {TP(prefix + tp.topic, tp.partition): at for tp, at in offsets.items()}
        epoch: int = await self.app.consumer._thread.seek_many(physical)
        return epoch


class LabellingThread(driver.AIOKafkaConsumerThread):
    """Labels every fetch (start, next, epoch) in the thread that also does every seek, so that a label never lies.

    Labelled anywhere else, rebalances lose records without a trace: five of them lost 15,160 of 357,212 commands.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels: dict[TP, int] = {}
        self.epoch = 0

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust reads uncommitted unless its own exactly_once is on, and that is broken (#323)
        consumer._isolation_level = "read_committed"
        # Faust hard-codes 1.5 s; aiokafka keeps one fetch in flight a broker, so what was just drained waits for it
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, and let a partition with leftovers hold up its broker's others only for a moment."""
        await super().on_start()
        self._ensure_consumer()._fetcher._prefetch_backoff = LEFTOVERS_WAIT_S

    def has_moved_on(self, generation: int) -> bool:
        """Whether the group is already past a generation that the app still lives in."""
        return bool(self._ensure_consumer()._coordinator.generation != generation)

    async def seek_many(self, offsets: Mapping[TP, int]) -> int:
        """Move reading and labels in one breath, and begin a new epoch."""
        epoch: int = await self.call_thread(self._seek_many, offsets)
        return epoch

    async def _seek_many(self, offsets: Mapping[TP, int]) -> int:
        consumer = self._ensure_consumer()
        self.epoch += 1
        for tp, offset in offsets.items():
            consumer.seek(self.consumer._new_topicpartition(*tp), offset)
            self.labels[tp] = offset
        return self.epoch

    async def _fetch_records(
        self, consumer: Any, active_partitions: Any, timeout: float | None = None, max_records: int | None = None
    ) -> dict[TP, Slice]:
        try:
            fetched = await self._fetch_by_turns(consumer, set(active_partitions or ()), timeout, max_records)
        except OffsetOutOfRangeError as error:
            return await self._out_of_range(consumer, error)
        return self._labelled(consumer, fetched)

    async def _fetch_by_turns(
        self, consumer: Any, active: set[TP], timeout: float | None, max_records: int | None
    ) -> dict[Any, list[Any]]:
        """Take what may stop a touch first, then a little of each import; aiokafka alone drains one partition first."""
        intake: EngineConsumer = self.consumer
        wanted = {tp for tp in active if intake.owner.has_room(tp.partition)}
        if not wanted:
            await asyncio.sleep(timeout or 0)
            return {}
        fetch = super()._fetch_records
        urgent = {tp for tp in wanted if intake.logical(tp).topic not in _LAST}
        fetched: dict[Any, list[Any]] = await fetch(consumer, urgent, 0, max_records) if urgent else {}
        for tp in (wanted - urgent) & consumer._fetcher._records.keys():
            try:
                fetched.update(await fetch(consumer, {tp}, 0, MOST_BULK_RECORDS))
            except Exception:  # the next fetch meets it again; positions are past what was fetched so far
                if not fetched:
                    raise
        if not fetched and not self._has_moved(consumer):
            fetched = await fetch(consumer, wanted, timeout, MOST_BULK_RECORDS)
        return fetched

    def _has_moved(self, consumer: Any) -> bool:
        return any(_position(consumer, tp) > at for tp, at in self.labels.items() if tp in consumer.assignment())

    def _labelled(self, consumer: Any, fetched: Mapping[Any, list[Any]]) -> dict[TP, Slice]:
        """Label what came, and positions that markers alone have moved (F09)."""
        slices: dict[TP, Slice] = {}
        logical = self.consumer.logical
        for tp in consumer.assignment():
            start = self.labels.get(tp)
            if start is None:  # never positioned by us: not ours to read
                continue
            position = _position(consumer, tp)
            if position > start:
                slices[tp] = Slice(logical(tp), start, position, fetched.get(tp, ()), self.epoch)
                self.labels[tp] = position
        return slices

    async def _out_of_range(self, consumer: Any, error: OffsetOutOfRangeError) -> dict[TP, Slice]:
        """Ticks may go on from what is left; for any other input a jump would be a silent loss (I3)."""
        (offsets,) = error.args
        lost = [TP(*tp) for tp in offsets]
        if any(self.consumer.logical(tp).topic != TICK for tp in lost):
            text = f"positions outside of what the topics hold: {offsets}; see the runbook InputsLost"
            lost_inputs = ExitError(ExitCode.INPUTS_LOST, text)
            self.parent_loop.call_soon_threadsafe(self.consumer.owner.fail, lost_inputs)  # a future of that loop
            return {}
        await self._seek_many(await consumer.beginning_offsets(list(offsets)))
        return {}


class EngineConsumer(driver.Consumer):
    """One message per co-partition and poll, carrying a `Batch`; nothing of Faust's acks or commits."""

    owner: Owner
    prefix: str
    inputs: frozenset[str]
    _messages = 0

    def logical(self, tp: TP) -> TopicPartition:
        """Name a partition without the installation's prefix."""
        return TopicPartition(tp[0][len(self.prefix) :], tp[1])

    def _new_consumer_thread(self) -> LabellingThread:
        return LabellingThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: TP) -> None:
        """Leave the partition active: Faust would pause it and then sleep a second; lanes push back by `has_room`."""

    async def commit(self, *_args: Any, **_kwargs: Any) -> bool:
        """Commit nothing: positions are part of the engine's transactions (I1)."""
        return True

    async def perform_seek(self) -> None:
        """Go to the engine's own positions, never to the group's (kept partitions are ahead of nothing, I9)."""
        starts = {TP(self.prefix + tp.topic, tp.partition): at for tp, at in self.owner.starts().items()}
        mine = {TP(*tp) for tp in self.assignment() if tp[0] in self.inputs}
        if missing := mine - starts.keys():
            if self._thread.has_moved_on(self.app.consumer_generation_id):
                return  # the group gave us these while we took the last assignment; their own taking follows
            raise ExitError(ExitCode.CRASHED, f"no position for {sorted(missing)}: they were never taken")
        self._read_offset.clear()
        self.owner.resume(await self._thread.seek_many({tp: starts[tp] for tp in mine}))

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ARG002
        """Yield one message per co-partition that something came for."""
        slices, _active = await self._wait_next_records(POLL_S)
        generation = self.app.consumer_generation_id
        if not slices or self.should_stop or not self.flow_active:
            return
        groups: dict[int, list[Slice]] = {}
        for piece in slices.values():
            groups.setdefault(piece.tp.partition, []).append(piece)
        for partition, pieces in groups.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            tp = TP(self.prefix + pieces[0].tp.topic, partition)
            yield tp, self._message(tp, Batch(partition, tuple(pieces)), generation)

    def _message(self, tp: TP, batch: Batch, generation: int) -> ConsumerMessage:
        # Faust drops an offset below the last one it saw, and any message without the current generation
        self._messages += 1
        return ConsumerMessage(
            tp.topic, tp.partition, self._messages, 0.0, 0, [], None, batch, None, 0, 0, tp, generation_id=generation
        )


class BatchSchema(faust.Schema):
    """Hands the batch through; a Schema must override `compile`, where Faust would decode."""

    def compile(self, app: Any, **_kwargs: Any) -> Any:
        """Give the decoder of messages."""

        async def decode(message: Any, *, propagate: bool = False) -> Event:  # noqa: ARG001  Faust's signature
            return Event(app, None, message.value, None, message)

        return decode


class EngineRecovery(Recovery):
    """The engine restores; Faust's recovery reads 8k records/s and commits past what it lost (#596, #606)."""

    async def on_rebalance(self, assigned: Any, revoked: Any, newly_assigned: Any, generation_id: int = 0) -> None:
        """Tell the owner at once, before the task below may run."""
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)
        self.app.owner.reassigned({tp.partition for tp in self.active_tps})

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start):
                return
            self.signal_recovery_start.clear()
            try:
                await self._take(self._generation_id)
            except RebalanceAgain:
                continue
            except ServiceStopped:
                return
            except Exception as error:  # noqa: BLE001  Faust would carry on idle
                self.app.owner.fail(error)
                return

    async def _take(self, generation_id: int) -> None:
        self._set_recovery_started()
        taken = asyncio.ensure_future(self.app.owner.take({tp.partition for tp in self.active_tps}))
        await self._wait(taken)  # gives up waiting when the next rebalance comes, but not the taking
        taken.result()
        self._set_recovery_ended()
        self.app.consumer.stop_flow()
        await self._wait(self.on_recovery_completed(generation_id))
        if not self.active_tps:  # more workers than partitions: ready for nothing, but ready
            self.app.owner.resume(0)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        return


class EngineTables(TableManager):
    """The table gives changelog name and co-partitioned assignment; its recovery is ours."""

    @property
    def recovery(self) -> EngineRecovery:
        """Build our recovery."""
        if self._recovery is None:
            self._recovery = EngineRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class EngineTransport(driver.Transport):
    """Makes our consumer."""

    Consumer = EngineConsumer


class EngineApp(faust.App):
    """A Faust app whose transport is ours."""

    owner: Owner

    def _new_transport(self) -> EngineTransport:
        return EngineTransport(self.conf.broker_consumer, self)


def _app(plan: FramePlan, owner: Owner) -> EngineApp:
    servers = ";".join(f"kafka://{server}" for server in plan.bootstrap_servers.split(","))
    static = {"consumer_group_instance_id": plan.instance_id} if plan.instance_id else {}
    app = EngineApp(
        plan.prefix + plan.application,
        broker=servers,
        store="memory://",
        datadir=plan.data_folder,
        topic_partitions=plan.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        TableManager=EngineTables,
        consumer_auto_offset_reset="none",
        stream_buffer_maxsize=_BUFFERED_BATCHES,
        stream_wait_empty=False,
        broker_session_timeout=plan.session_timeout_ms / 1000,
        broker_heartbeat_interval=plan.session_timeout_ms / 4000,
        broker_request_timeout=_REQUEST_TIMEOUT_S,
        **static,
    )
    app.owner = owner
    names = [plan.prefix + topic for topic in INPUTS]
    consumer = type(
        "BoundConsumer",
        (EngineConsumer,),
        {"owner": owner, "prefix": plan.prefix, "inputs": frozenset(names)},
    )
    app.transport.Consumer = consumer
    _declare(app, names, plan.partitions)
    return app


def _declare(app: EngineApp, names: Iterable[str], partitions: int) -> None:
    """One agent over all inputs, and one table, whose changelog makes Faust assign partitions together."""
    raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    inputs = app.topic(*names, acks=False, schema=BatchSchema(**raw), partitions=partitions)
    app.Table("state", partitions=partitions, key_type=bytes, value_type=bytes)

    @app.agent(inputs, name="renewals")
    async def renewals(batches: Any) -> None:
        async for batch in batches:
            app.owner.submit(batch)

    @app.on_partitions_revoked.connect
    async def revoked(_sender: Any, _revoked: Any, **_kwargs: Any) -> None:
        await app.owner.quiesce()


def _ended(reason: BaseException | None) -> ExitError:
    """Name why the frame ended: brokers that are away come back, those that refuse do not."""
    code = ExitCode.CRASHED
    if isinstance(reason, KafkaError):
        code = ExitCode.BROKER_UNAVAILABLE if reason.retriable else ExitCode.BROKER_REFUSED
    return ExitError(code, f"the stream frame ended: {reason!r}")


def _position(consumer: Any, tp: Any) -> int:
    state = consumer._subscription.subscription.assignment.state_value(tp)
    position: int = state.position if state is not None and state.has_valid_position else -1
    return position
