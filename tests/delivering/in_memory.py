"""A channel in memory: commands go in, receipts come out, time is turned by hand."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.delivery.loop import DeliveryLoop
from connectors.fences import Clock, WallClock
from connectors.memory import MemoryContacts, MemoryLog, MemoryProvider, MemoryTopics
from connectors.metrics import DeliveryMetrics
from connectors.ports import CommandLog, Found
from schemas.identity import CustomerId, touch_key
from schemas.outputs import SendTouch
from schemas.vocabulary import Channel
from tests.builders import NOW_MS, a_command, a_heartbeat

WITHIN_S = 5.0


def command_for(customer: str, *, step: str = "t7", **changes: object) -> SendTouch:
    """A command for one customer, due now."""
    key = touch_key(f"k-{customer}", "t-1", step, "email", 0)
    return a_command(customer_id=CustomerId(customer), contract_id=f"k-{customer}", step=step, touch_key=key, **changes)


@dataclass
class Delivering:
    """One partition, one provider, and as many processes after one another as a test likes."""

    provider: MemoryProvider = field(default_factory=MemoryProvider)
    topics: MemoryTopics = field(default_factory=lambda: MemoryTopics(partitions=1))
    contacts: MemoryContacts | None = None
    in_flight: int = 4
    now_ms: int = NOW_MS
    elapsed_ms: int = 0
    is_virtual: bool = False

    def __post_init__(self) -> None:
        self.metrics = DeliveryMetrics(Channel.EMAIL)
        self.beat()

    def beat(self, at_ms: int | None = None) -> None:
        """Let the partition give a sign of life."""
        at_ms = self.now_ms if at_ms is None else at_ms
        beat = a_heartbeat(fresh_at_ms=at_ms, watermark_at_ms=at_ms, is_virtual=self.is_virtual)
        self.topics.fences[0].apply("heartbeat", beat)

    def order(self, *commands: SendTouch) -> None:
        """Append commands."""
        self.topics.commands[0].extend(commands)

    def run(self, until: Callable[[], bool], *, clock: Clock | None = None, log: CommandLog | None = None) -> None:
        """Run one process until a fact holds, then stop it in good order."""
        asyncio.run(self._run(until, clock or WallClock(lambda: self.now_ms), log or MemoryLog(self.topics)))

    async def _run(self, until: Callable[[], bool], clock: Clock, log: CommandLog) -> None:
        loop = DeliveryLoop(
            log=log,
            provider=self.provider,
            contacts=self.contacts or _Everybody(),
            clock=clock,
            metrics=self.metrics,
            owner="test",
            in_flight=self.in_flight,
            elapsed=lambda: self.elapsed_ms,
        )
        running = asyncio.create_task(loop.run())
        try:
            async with asyncio.timeout(WITHIN_S):
                while not until() and not running.done():
                    await asyncio.wait([running], timeout=0.005)
        finally:
            loop.stop()
            await running

    def all_reported(self) -> bool:
        """Whether every command has a receipt."""
        return len(self.topics.receipts) >= sum(len(commands) for commands in self.topics.commands.values())


class _Everybody(MemoryContacts):
    """Everybody has a contact."""

    def __init__(self) -> None:
        super().__init__({})

    async def look_up(self, customer_ids: Sequence[str]) -> Mapping[str, Found]:
        """A name and an address for each."""
        return {one: Found(is_known=True, fields={"name": one, "email": f"{one}@example.com"}) for one in customer_ids}
