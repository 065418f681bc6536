"""The calls under way: each runs as a task of its own and leaves a finished order behind."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any, Generic

import structlog

from connectors.delivery.gate import CallGate, MonotonicMs
from connectors.fences import Clock, FenceTable
from connectors.metrics import DeliveryMetrics
from connectors.orders import Finished, Order, Report, in_doubt, refused
from connectors.ports import M, Provider, Withheld
from schemas.failpoints import FailpointHit, failpoint

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Generic[M]):
    """An order whose message is built and whose intent is written; `is_repeat` as in `Finished`."""

    order: Order
    message: M
    intent_at_ms: int
    is_repeat: bool


class Calls(Generic[M]):
    """At most W orders between intent and result; results are taken out by the loop, once."""

    def __init__(self, provider: Provider[M], clock: Clock, metrics: DeliveryMetrics, elapsed: MonotonicMs) -> None:
        self._provider, self._clock, self._metrics, self._elapsed = provider, clock, metrics, elapsed
        self._tasks: dict[asyncio.Task[None], Order] = {}
        self._finished: list[Finished] = []
        self._unseen: list[Order] = []
        self._unanswered: list[Order] = []
        self._broken: BaseException | None = None
        self._something = asyncio.Event()

    def start(self, ready: Ready[M], *, fences: FenceTable, begun_at_ms: int) -> None:
        """Make a call whose intent is committed; `begun_at_ms` is the monotonic instant before that commit."""
        order = ready.order
        gate = CallGate(order, fences=fences, clock=self._clock, begun_at_ms=begun_at_ms, elapsed=self._elapsed)
        self._run(order, self._call(ready, gate))

    def ask(self, order: Order, *, intent_at_ms: int) -> None:
        """Ask the provider what became of a call that somebody else began."""
        self._run(order, self._ask(order, intent_at_ms))

    def take_finished(self) -> list[Finished]:
        """What has finished since the last time; raises what broke a call's own machinery."""
        self._something.clear()
        if self._broken is not None:
            raise self._broken
        taken, self._finished = self._finished, []
        return taken

    def take_unseen(self) -> list[Order]:
        """Orders in doubt that the provider says it never saw: they may be called as new."""
        taken, self._unseen = self._unseen, []
        return taken

    def take_unanswered(self) -> list[Order]:
        """Orders in doubt about which the provider could not tell now."""
        taken, self._unanswered = self._unanswered, []
        return taken

    async def wait(self, within_ms: int) -> None:
        """Return when something has finished, or after `within_ms`."""
        try:
            await asyncio.wait_for(self._something.wait(), within_ms / 1000)
        except TimeoutError:
            return

    async def drain(self, partitions: Iterable[int], within_ms: int) -> None:
        """Wait for the calls of these partitions; those still open after `within_ms` are given up and stay in doubt."""
        wanted = set(partitions)
        tasks = [task for task, order in self._tasks.items() if order.partition in wanted]
        if not tasks:
            return
        _, open_still = await asyncio.wait(tasks, timeout=within_ms / 1000)
        for task in open_still:
            task.cancel()
        await asyncio.gather(*open_still, return_exceptions=True)

    @property
    def in_flight(self) -> int:
        """Orders with an intent and no result that the loop has taken, finished ones included."""
        return len(self._tasks) + len(self._finished)

    @property
    def has_news(self) -> bool:
        """Whether a call has ended since the loop looked last."""
        return self._something.is_set()

    def _run(self, order: Order, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = order
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
        self._something.set()

    async def _call(self, ready: Ready[M], gate: CallGate) -> None:
        order, started_ms = ready.order, self._elapsed()
        report = await self._called(order, ready.message, gate)
        failpoint("delivery.after_accept_before_result")
        told = replace(
            report, provider=self._provider.name, heartbeat_at_ms=gate.heartbeat_at_ms, called_at_ms=gate.called_at_ms
        )
        self._metrics.called(order.command, told, call_ms=self._elapsed() - started_ms)
        self._finished.append(
            Finished(order=order, report=told, intent_at_ms=ready.intent_at_ms, is_repeat=ready.is_repeat)
        )

    async def _called(self, order: Order, message: M, gate: CallGate) -> Report:
        try:
            return await self._provider.call(message, gate)
        except Withheld as no:
            return refused(no.reason, no.detail)
        except FailpointHit:
            raise
        except Exception as error:  # noqa: BLE001  a provider's surprise must not stop the other calls
            _log.error("call_failed", touch=order.command.touch_key, error=type(error).__name__)
            return in_doubt(f"the call failed: {type(error).__name__}")

    async def _ask(self, order: Order, intent_at_ms: int) -> None:
        try:
            report = await self._provider.find(order.command)
        except Exception as error:  # noqa: BLE001  as above; it is asked again
            _log.warning("question_failed", touch=order.command.touch_key, error=type(error).__name__)
            self._unanswered.append(order)
            return
        if report is None:
            self._unseen.append(order)
        else:
            self._finished.append(Finished(order=order, report=report, intent_at_ms=intent_at_ms))
