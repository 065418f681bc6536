"""What a fetch brought is never passed over, whatever goes wrong behind it (I3)."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import OffsetOutOfRangeError, TopicAuthorizationFailedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from schemas.topics import CONTRACT, PAYMENT
from schemas.transport.records import TopicPartition
from streams.seam import LabellingThread

PAYMENTS, CONTRACTS = TP(PAYMENT, 0), TP(CONTRACT, 0)


class Fetching:
    """Payments are there; contracts may not be read."""

    def __init__(self) -> None:
        self.positions = {PAYMENTS: 0, CONTRACTS: 0}
        self.left: dict[TP, Any] = {PAYMENTS: ["paid"], CONTRACTS: TopicAuthorizationFailedError(CONTRACT)}
        self._fetcher = SimpleNamespace(_records=self.left)
        self._subscription = SimpleNamespace(
            subscription=SimpleNamespace(assignment=SimpleNamespace(state_value=self._state))
        )

    def assignment(self) -> set[TP]:
        return set(self.positions)

    async def fetch(self, _consumer: Any, active: Any, *_: Any, **__: Any) -> dict[TP, list[Any]]:  # noqa: ANN401
        drained: dict[TP, list[Any]] = {}
        for tp in [tp for tp in self.left if tp in active]:
            found = self.left.pop(tp)
            if isinstance(found, Exception):
                raise found
            drained[tp] = found
            self.positions[tp] += len(found)
        return drained

    def _state(self, tp: TP) -> Any:  # noqa: ANN401
        return SimpleNamespace(position=self.positions[tp], has_valid_position=True)


def test_payments_that_were_fetched_outlive_an_import_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    fetching = Fetching()
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetching.fetch)
    thread = LabellingThread.__new__(LabellingThread)
    thread.labels, thread.epoch = {PAYMENTS: 0, CONTRACTS: 0}, 1
    thread.consumer = SimpleNamespace(  # type: ignore[assignment]
        owner=SimpleNamespace(has_room=lambda _number: True), logical=lambda tp: TopicPartition(*tp)
    )

    async def fetched() -> list[Any]:
        pieces = []
        for _ in range(2):  # the frame may fetch once more before it ends
            try:
                slices = await thread._fetch_records(fetching, set(fetching.positions), 0.0, 10)  # noqa: SLF001
            except TopicAuthorizationFailedError:
                continue
            pieces += [piece for piece in slices.values() if piece.tp.topic == PAYMENT]
        return pieces

    (piece,) = asyncio.run(fetched())
    assert (piece.start, piece.next, list(piece.records)) == (0, 1, ["paid"])


def test_i3_lost_inputs_are_told_on_the_loop_of_the_engine_and_wake_it() -> None:
    told: list[tuple[str, int]] = []

    async def played() -> None:
        heard = asyncio.Event()

        def fail(error: BaseException) -> None:
            told.append((str(error), threading.get_ident()))
            heard.set()

        thread = LabellingThread.__new__(LabellingThread)
        thread.parent_loop = asyncio.get_running_loop()
        thread.consumer = SimpleNamespace(  # type: ignore[assignment]
            owner=SimpleNamespace(fail=fail), logical=lambda tp: TopicPartition(*tp)
        )
        lost = OffsetOutOfRangeError({PAYMENTS: 7})
        assert await asyncio.to_thread(asyncio.run, thread._out_of_range(None, lost)) == {}  # noqa: SLF001
        await asyncio.wait_for(heard.wait(), timeout=5)

    asyncio.run(played())
    ((text, ident),) = told
    assert "inputs_lost" in text
    assert ident == threading.get_ident()
