"""W bounds what a crash may leave in doubt: no more intents without a result than that (C4)."""

import asyncio
from contextlib import suppress

from connectors.memory import MemoryProvider
from connectors.orders import Report
from connectors.ports import Gate
from schemas.outputs import SendTouch
from schemas.vocabulary import LedgerStage
from tests.delivering.in_memory import Delivering, command_for


class Slow(MemoryProvider):
    """A provider that takes its time."""

    under_way = most = 0

    async def call(self, message: SendTouch, gate: Gate) -> Report:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.05)
        self.under_way -= 1
        return await super().call(message, gate)


def test_while_calls_are_open_no_more_than_w_are_begun() -> None:
    provider = Slow()
    channel = Delivering(provider=provider, in_flight=2)
    channel.order(*(command_for(f"C{number}") for number in range(7)))
    channel.run(channel.all_reported)
    assert provider.most == 2
    in_doubt = most = 0
    for _, row in channel.topics.ledgers[0]:
        if row is not None:
            in_doubt += 1 if row.stage is LedgerStage.INTENT else -1
            most = max(most, in_doubt)
    assert most <= 2
