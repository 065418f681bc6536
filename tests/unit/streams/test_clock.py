"""The real clock stamps an instant before it asks how far the inputs are (I6)."""

import signal
from collections.abc import Iterable
from typing import Any

import pytest

from schemas.codec import packaged_codec
from schemas.events import Tick
from schemas.topics import BARRIER
from schemas.transport.errors import BrokerUnavailable
from schemas.transport.records import TopicPartition
from streams import clock
from streams.clock import Ticker
from streams.settings import ClockSettings


class Inputs:
    """Ends that move with every question, on a host whose time moves with every question too."""

    def __init__(self) -> None:
        self.at_ms = 0
        self.asked_at_ms: list[int] = []
        self.is_away = False

    def now_ms(self) -> int:
        self.at_ms += 1
        return self.at_ms

    def end_offsets(self, tps: Iterable[TopicPartition], _within_ms: int) -> dict[TopicPartition, int]:
        self.asked_at_ms.append(self.now_ms())
        if self.is_away:
            self.is_away = False
            raise BrokerUnavailable("away")
        return dict.fromkeys(tps, self.at_ms)


class Told:
    """A producer that keeps what it was given and ends the clock after some ticks."""

    def __init__(self, most: int) -> None:
        self.ticks: list[Tick] = []
        self._most, self._codec = most, packaged_codec()

    def produce(self, topic: str, key: bytes, value: bytes, number: int) -> None:  # noqa: ARG002
        self.ticks.append(self._codec.decode(value, Tick))

    def flush(self, _within_ms: int) -> None:
        if len(self.ticks) >= self._most:
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def inputs() -> Inputs:
    return Inputs()


def ticks_of(inputs: Inputs, monkeypatch: pytest.MonkeyPatch, most: int) -> list[Tick]:
    """Run the clock for some ticks."""
    told = Told(most)
    connections: dict[str, Any] = {"producer": told, "positions": inputs}
    ticker = Ticker(codec=packaged_codec(), prefix="", partitions=1, clock_id="c", **connections)
    monkeypatch.setattr(clock, "ticker", lambda *_: ticker)
    monkeypatch.setattr(clock, "SystemClock", lambda: inputs)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert clock.run(ClockSettings(bootstrap_servers="nowhere", tick_ms=50), packaged_codec()) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return told.ticks


def test_i6_the_instant_is_stamped_before_the_ends_are_read(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = ticks_of(inputs, monkeypatch, 2)
    assert len(ticks) == 2
    for tick, asked_at_ms in zip(ticks, inputs.asked_at_ms, strict=True):
        assert tick.now_ms < asked_at_ms
        assert set(tick.barrier.values()) == {asked_at_ms}
        assert set(tick.barrier) == set(BARRIER)


def test_i6_a_tick_after_an_outage_is_stamped_anew(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs.is_away = True
    (tick,) = ticks_of(inputs, monkeypatch, 1)
    missed_ms, asked_at_ms = inputs.asked_at_ms
    assert missed_ms < tick.now_ms < asked_at_ms
