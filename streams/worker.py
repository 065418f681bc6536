"""One worker process: the composition of the stream edge, its signals and its named exits."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import structlog
import uvloop

from schemas.codec import LARGEST_BYTES, LARGEST_DEAD_LETTER_BYTES
from schemas.errors import ExitCode, ExitError
from schemas.failpoints import arm
from schemas.sealing import sealer
from schemas.topics import DEAD_LETTER, changelog_topic
from schemas.transport.errors import BrokerRefused, BrokerUnavailable, Fenced, InputsLost, OutOfGeneration
from streams.apply import Applier, Sizes
from streams.bootstrap import wait_for_brokers
from streams.brain import Brain
from streams.engine import Engine
from streams.health import Health, HealthServer
from streams.intake import Intake
from streams.kafka_log import KafkaLog
from streams.lane import Works
from streams.log import Clock, Executor, Log
from streams.metrics import Metrics
from streams.observation import Observation
from streams.opening import Opening
from streams.quarantine import Quarantine, Seal, unsealed
from streams.rejudge import Rejudging
from streams.restore import Restoring
from streams.seam import FaustIntake, FramePlan
from streams.settings import WorkerSettings
from streams.stores import DiskStores, Stores
from streams.threads import SystemClock, ThreadExecutor
from streams.transaction import Transactions
from streams.waking import Waking

log = structlog.get_logger("perennial.worker")
_CODES: dict[type[BaseException], ExitCode] = {
    Fenced: ExitCode.FENCED,
    OutOfGeneration: ExitCode.FENCED,
    InputsLost: ExitCode.INPUTS_LOST,
    BrokerRefused: ExitCode.BROKER_REFUSED,
    BrokerUnavailable: ExitCode.BROKER_UNAVAILABLE,
}
WATCH_MS = 10_000
_ENVELOPE_BYTES = 1_024  # key, headers and framing of a record
_LARGEST_STATE_BYTES = LARGEST_BYTES - 8_192
_LARGEST_HELD_STATE_BYTES = LARGEST_BYTES - _ENVELOPE_BYTES  # one refused for its size must still take its mark
DRAIN_S = 8.0  # an orderly stop ends within 10 s; what is not drained by then is replayed by the next owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What an engine stands on: all of it can be replaced."""

    log: Log
    executor: Executor
    clock: Clock
    stores: Stores
    intake: Intake
    metrics: Metrics
    seal: Seal = unsealed


def run(settings: WorkerSettings, brain: Brain) -> NoReturn:
    """Work until SIGTERM or SIGINT (status 0) or a named exit (its status), and end the process.

    Call it on the main thread; it installs signal handlers and logs one line that says how it ended.
    """
    armed = arm(settings.failpoints)
    if armed:
        log.warning("failpoints_active", failpoints=armed)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_work(settings, brain))
        sys.stdout.flush()
        sys.stderr.flush()
        # threads of the frame or of a broker call may hang; nothing uncommitted is worth waiting for
        os._exit(0 if code is None else code.status)


def build_engine(settings: WorkerSettings, brain: Brain, ports: Ports) -> Engine:
    """Put an engine together on given ports."""
    sizes = Sizes(largest_bytes=_Largest(), largest_state_bytes=_LARGEST_STATE_BYTES)
    quarantine = Quarantine(
        brain=brain,
        partitions=settings.partitions,
        seal=ports.seal,
        largest_state_bytes=_LARGEST_HELD_STATE_BYTES,
    )
    observation = Observation(metrics=ports.metrics, clock=ports.clock)
    transactions = Transactions(
        application=settings.application,
        changelog=changelog_topic(settings.application),
        log=ports.log,
        executor=ports.executor,
        clock=ports.clock,
        metrics=ports.metrics,
    )
    works = Works(
        brain=brain,
        intake=ports.intake,
        applier=Applier(
            brain=brain,
            partitions=settings.partitions,
            quarantine=quarantine,
            sizes=sizes,
            is_time_virtual=settings.virtual_time,
        ),
        waking=Waking(brain=brain, quarantine=quarantine, sizes=sizes, chunk_customers=settings.tick_chunk),
        rejudging=Rejudging(brain=brain, quarantine=quarantine, sizes=sizes, chunk_customers=settings.tick_chunk),
        transactions=transactions,
        clock=ports.clock,
        observation=observation,
        largest_state_bytes=_LARGEST_STATE_BYTES,
        largest_held_state_bytes=_LARGEST_HELD_STATE_BYTES,
    )
    opening = Opening(
        application=settings.application,
        brain=brain,
        log=ports.log,
        executor=ports.executor,
        transactions=transactions,
        is_time_virtual=settings.virtual_time,
        restoring=Restoring(
            application=settings.application,
            changelog=transactions.changelog,
            log=ports.log,
            stores=ports.stores,
            brain=brain,
            clock=ports.clock,
            metrics=ports.metrics,
        ),
    )
    return Engine(
        works=works,
        opening=opening,
        log=ports.log,
        executor=ports.executor,
        metrics=ports.metrics,
        most_backlog=settings.backlog_records,
    )


class _Largest(dict[str, int]):
    """Largest value per topic, header and envelope aside."""

    def __missing__(self, topic: str) -> int:
        self[topic] = (LARGEST_DEAD_LETTER_BYTES if topic == DEAD_LETTER else LARGEST_BYTES) - _ENVELOPE_BYTES
        return self[topic]


async def _work(settings: WorkerSettings, brain: Brain) -> ExitCode | None:
    metrics, clock = Metrics(), SystemClock()
    executor = ThreadExecutor(settings.commit_threads)
    frame = FaustIntake(_plan(settings))
    try:
        ports = Ports(
            log=KafkaLog(
                settings.kafka("perennial-worker"), application=settings.application, prefix=settings.topic_prefix
            ),
            executor=executor,
            clock=clock,
            stores=DiskStores(settings.state_dir / "stores", settings.application),
            intake=frame,
            metrics=metrics,
            seal=sealer(settings.operators_public_key) if settings.operators_public_key else unsealed,
        )
        engine = build_engine(settings, brain, ports)
        frame.attach(engine)
        metrics.begin(settings.previous_exit, brain.data_versions.get("tzdata", ""))
        health = Health(
            engine=engine, log=ports.log, observation=Observation(metrics=metrics, clock=clock), clock=clock
        )
        with HealthServer(health, settings.health_port, settings.state_dir) as server:
            log.info("worker_started", application=settings.application, health_port=server.port)
            watching = asyncio.ensure_future(_watch(engine, health, ports))
            code = await _until_told(engine, frame, ports)
            watching.cancel()
            return code
    except ExitError as error:
        return _named(error)


async def _watch(engine: Engine, health: Health, ports: Ports) -> None:
    """End a worker whose frame is up but brings nothing: only a new membership helps it."""
    while True:
        await ports.clock.pause(WATCH_MS)
        if await ports.executor.run(health.is_stalled):
            engine.fail(ExitError(ExitCode.STALLED, "ticks wait in their topic and the stream frame brings none"))
            return


async def _until_told(engine: Engine, frame: FaustIntake, ports: Ports) -> ExitCode | None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    stop, running = asyncio.ensure_future(told.wait()), asyncio.ensure_future(_run(frame, ports))
    waited_for: set[asyncio.Future[Any]] = {stop, running, engine.failed}
    await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
    if engine.failed.done():
        return _named(engine.failed.result())
    if running.done():
        return _named(running.exception() or ExitError(ExitCode.CRASHED, "the stream frame ended by itself"))
    await _drain(engine, frame)
    return None


async def _run(frame: FaustIntake, ports: Ports) -> None:
    await wait_for_brokers(ports.log, ports.executor, ports.clock)
    await frame.run()


async def _drain(engine: Engine, frame: FaustIntake) -> None:
    """Let running commits end, leave the group, let go of everything; late is better told than waited for."""
    try:
        async with asyncio.timeout(DRAIN_S):
            await engine.close()
            await frame.stop()
    except TimeoutError:
        log.warning("drain_cut_short", after_s=DRAIN_S)
    log.info("worker_stopped")


def _named(error: BaseException) -> ExitCode:
    """Say once how the process ends, and for whom it matters: a named code, a sentence, a trace for a bug."""
    code = error.code if isinstance(error, ExitError) else _CODES.get(type(error), ExitCode.CRASHED)
    log.error("worker_exit", code=code.value, detail=str(error), exc_info=error if code is ExitCode.CRASHED else None)
    return code


def _plan(settings: WorkerSettings) -> FramePlan:
    return FramePlan(
        bootstrap_servers=settings.bootstrap_servers,
        application=settings.application,
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        session_timeout_ms=settings.session_timeout_ms,
        data_folder=Path(settings.state_dir) / "frame",
        instance_id=settings.instance_id,
    )
