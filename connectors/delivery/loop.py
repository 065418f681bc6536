"""The delivery loop: take in, judge, prepare, one transaction, call; at most W orders between intent and result."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import structlog

from connectors.delivery.calls import Calls, Ready
from connectors.delivery.desk import Desk
from connectors.delivery.gate import MonotonicMs, monotonic_ms
from connectors.fences import Clock
from connectors.metrics import DeliveryMetrics
from connectors.orders import Cycle, Finished, Order, refused, unbuildable
from connectors.ports import CommandLog, Contacts, Found, M, Opening, Provider, Unsendable
from schemas.errors import ExitCode, ExitError
from schemas.failpoints import failpoint
from schemas.vocabulary import ReceiptReason

IDLE_POLL_MS = 100
BUSY_POLL_MS = 5
DRAIN_WITHIN_MS = 10_000
STUCK_AFTER_MS = 90_000  # a commit may be repeated for a minute

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class DeliveryLoop(Generic[M]):
    """Delivers one channel's commands for the partitions that the log gives it.

    Every call of the log is made in one thread, so partitions come and go only while the loop waits for it.
    """

    def __init__(
        self,
        *,
        log: CommandLog,
        provider: Provider[M],
        contacts: Contacts,
        clock: Clock,
        metrics: DeliveryMetrics,
        owner: str,
        in_flight: int,
        elapsed: MonotonicMs = monotonic_ms,
    ) -> None:
        self._log, self._provider, self._contacts = log, provider, contacts
        self._in_flight, self._elapsed = in_flight, elapsed
        self._calls = Calls(provider, clock, metrics, elapsed)
        self._desk = Desk(delivery_class=provider.delivery_class, clock=clock, metrics=metrics, owner=owner)
        self._metrics = metrics
        self._turned_at_ms, self._has_turned = elapsed(), False
        self._paused: set[int] = set()
        self._is_lost = False
        self._is_stopping = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka")
        self._asyncio: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Deliver until `stop`; ends with the calls under way finished and written. Raises ExitError."""
        self._asyncio = asyncio.get_running_loop()
        try:
            await self._in_thread(lambda: self._log.open(self))
            while not self._is_stopping.is_set():
                await self._turn()
                self._turned_at_ms, self._has_turned = self._elapsed(), True
            await self._in_thread(self._log.close)
        finally:
            await self._provider.close()
            self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Begin no further calls, finish and write those under way, then return from `run`."""
        self._is_stopping.set()

    def is_turning(self) -> bool:
        """Whether the loop has taken a turn lately."""
        return self._elapsed() - self._turned_at_ms < STUCK_AFTER_MS

    def is_joined(self) -> bool:
        """Whether the first turn is done: the producer is open and the group is asked for partitions."""
        return self._has_turned

    def measure(self) -> None:
        """Bring the gauges up to date."""
        self._desk.measure()
        self._metrics.in_flight.set(self._calls.in_flight)

    # ---- partitions come and go; called in the log's thread while the loop waits for it -----------------------------

    def opened(self, opening: Opening) -> None:
        """Take a partition."""
        self._desk.open(opening)
        self._paused.add(opening.partition)  # it may have been paused when we owned it before: resume it either way
        _log.info(
            "partition_opened",
            partition=opening.partition,
            position=opening.position,
            in_doubt=opening.ledger.in_doubt(),
            ledger=len(opening.ledger),
            fences=len(opening.fences),
        )

    def closing(self, partitions: Iterable[int]) -> Cycle:
        """Finish the calls of partitions that go to somebody else."""
        if self._asyncio is None:
            return Cycle()
        return asyncio.run_coroutine_threadsafe(self._drained(frozenset(partitions)), self._asyncio).result()

    def lost(self, partitions: Iterable[int]) -> None:
        """We were away for too long; somebody else calls for these now."""
        self._desk.drop(frozenset(partitions))
        self._is_lost = True

    async def _drained(self, partitions: frozenset[int]) -> Cycle:
        await self._calls.drain(partitions, DRAIN_WITHIN_MS)
        cycle = self._collect()
        self._desk.complete(cycle)
        self._desk.drop(partitions)
        self._paused -= partitions
        return cycle

    # ---- one turn ----------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        await self._take_in()
        cycle = self._collect()
        to_call, to_ask = self._desk.choose(self._in_flight - self._calls.in_flight, cycle)
        for order in to_ask:
            self._calls.ask(order, intent_at_ms=self._desk.intent_at_ms(order))
        ready = await self._prepare(to_call, cycle)
        self._desk.complete(cycle)
        if cycle.is_empty:
            await self._calls.wait(BUSY_POLL_MS)
        else:
            await self._carry_out(cycle, ready)

    async def _carry_out(self, cycle: Cycle, ready: list[Ready[M]]) -> None:
        """Commit, then call: never a call before its intent is known to stand."""
        begun_at_ms = self._elapsed()
        if ready:
            failpoint("delivery.before_intents")
        await self._in_thread(lambda: self._log.commit(cycle))
        if ready:
            failpoint("delivery.after_intents")
        for one in ready:
            self._calls.start(one, fences=self._desk.lanes[one.order.partition].fences, begun_at_ms=begun_at_ms)

    async def _take_in(self) -> None:
        self._heed_backlog()
        is_busy = self._calls.has_news or self._desk.has_ready
        within_ms = 0 if is_busy else BUSY_POLL_MS if self._calls.in_flight else IDLE_POLL_MS
        orders = await self._in_thread(lambda: self._log.poll(within_ms))
        if self._is_lost:
            raise ExitError(ExitCode.FENCED, "our partitions were given to another process while we were away")
        self._desk.check_time()
        self._desk.accept(orders)

    def _heed_backlog(self) -> None:
        full = {number for number, lane in self._desk.lanes.items() if lane.is_full}
        if full - self._paused:
            self._log.pause(full - self._paused)
        if self._paused - full:
            self._log.resume(self._paused - full)
        self._paused = full

    def _collect(self) -> Cycle:
        """Begin a cycle with what has finished; give back what is to be looked at again."""
        cycle = Cycle()
        for finished in self._calls.take_finished():
            self._desk.settle(finished, cycle)
        for order in self._calls.take_unseen():
            self._desk.clear(order)
        for order in self._calls.take_unanswered():
            self._desk.look_again(order, self._elapsed())
        self._desk.wake(self._elapsed())
        return cycle

    async def _prepare(self, orders: list[Order], cycle: Cycle) -> list[Ready[M]]:
        """Read contacts in one call, build messages, write intents into the cycle."""
        if not orders:
            return []
        found = await self._contacts.look_up([order.command.customer_id for order in orders])
        prepared = [self._prepare_one(order, found[order.command.customer_id], cycle) for order in orders]
        return [ready for ready in prepared if ready is not None]

    def _prepare_one(self, order: Order, found: Found, cycle: Cycle) -> Ready[M] | None:
        if not found.is_known:
            self._desk.look_again(order, self._elapsed())
            return None
        try:
            message = self._message_for(order, found)
        except Unsendable as no:
            is_repeat = self._desk.is_in_doubt(order)
            self._desk.settle(Finished(order=order, report=no.report, is_repeat=is_repeat), cycle)
            return None
        intent_at_ms, is_repeat = self._desk.intend(order, cycle)
        return Ready(order=order, message=message, intent_at_ms=intent_at_ms, is_repeat=is_repeat)

    def _message_for(self, order: Order, found: Found) -> M:
        if found.fields is None:
            raise Unsendable(refused(ReceiptReason.NO_CONTACT))
        try:
            return self._provider.prepare(order.command, found.fields)
        except Unsendable:
            raise
        except Exception as error:  # noqa: BLE001  one touch that nobody foresaw must not stop a partition for ever
            _log.error("message_failed", touch=order.command.touch_key, error=type(error).__name__)
            raise Unsendable(unbuildable(type(error).__name__)) from None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
