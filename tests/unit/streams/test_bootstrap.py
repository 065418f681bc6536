"""A worker whose brokers are away waits for them, and says so once (F05, F06)."""

import asyncio
from collections.abc import Iterable, Mapping

import pytest
import structlog

from schemas.transport.errors import BrokerRefused, BrokerUnavailable
from schemas.transport.records import TopicPartition
from streams import bootstrap
from streams.bootstrap import wait_for_brokers
from streams.memory import HandClock, InlineExecutor
from streams.memory_log import MemoryCluster, MemoryLog


class AwayLog(MemoryLog):
    """A log whose brokers are away for so many questions."""

    questions_left = 0

    def end_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.questions_left -= 1
        if self.questions_left >= 0:
            raise BrokerUnavailable("nobody answers")
        return super().end_offsets(tps)


def wait(log: AwayLog) -> list[str]:
    with structlog.testing.capture_logs() as said:
        asyncio.run(wait_for_brokers(log, InlineExecutor(), HandClock()))
    return [line["event"] for line in said]


def test_f06_a_worker_says_once_that_it_waits_however_long_that_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "PATIENCE_S", 0.0)
    log = AwayLog(MemoryCluster(1), "a")
    log.questions_left = 1_000
    assert wait(log) == ["worker_waits_for_brokers", "brokers_answer_again"]


def test_a_worker_whose_brokers_are_there_says_nothing() -> None:
    assert wait(AwayLog(MemoryCluster(1), "a")) == []


def test_brokers_that_refuse_are_not_waited_for() -> None:
    class RefusingLog(AwayLog):
        def end_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:  # noqa: ARG002
            raise BrokerRefused("not authorized")

    with pytest.raises(BrokerRefused):
        wait(RefusingLog(MemoryCluster(1), "a"))
