"""Waiting for brokers before a worker joins its group: the frame would crash instead of waiting (F05, F06)."""

import asyncio

import structlog

from schemas.topics import TICK
from schemas.transport.errors import BrokerUnavailable
from schemas.transport.records import TopicPartition
from streams.log import Clock, Executor, Log

PATIENCE_S = 2.0  # before it is said; brokers that are there answer within a fraction of it
PAUSE_MS = 500
log = structlog.get_logger("perennial.worker")


async def wait_for_brokers(source: Log, executor: Executor, clock: Clock) -> None:
    """Return once brokers tell where the ticks end; says once that it waits, and once that it is over."""
    asking = asyncio.ensure_future(_ask(source, executor, clock))
    try:
        await asyncio.wait({asking}, timeout=PATIENCE_S)
        if not asking.done():
            log.warning("worker_waits_for_brokers")
            await asking
            log.info("brokers_answer_again")
        asking.result()
    finally:
        asking.cancel()


async def _ask(source: Log, executor: Executor, clock: Clock) -> None:
    while True:
        try:
            await executor.run(source.end_offsets, [TopicPartition(TICK, 0)])
        except BrokerUnavailable:
            await clock.pause(PAUSE_MS)
        else:
            return
