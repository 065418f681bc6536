"""The fetching thread: what its consumer is built with, and that a seek labels what it seeks (I3)."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaConsumer
from faust.types import TP

from streams.seam import FaustIntake, FramePlan, LabellingThread


def thread_of(app: Any) -> LabellingThread:  # noqa: ANN401  faust is untyped
    """A thread that was not started."""
    thread = LabellingThread.__new__(LabellingThread)
    thread.app = app
    thread.consumer = SimpleNamespace(in_transaction=False, _new_topicpartition=TP)  # type: ignore[assignment]
    thread.labels, thread.epoch = {}, 0
    return thread


def test_i3_the_consumer_that_is_built_reads_committed_records_only(tmp_path: Path) -> None:
    plan = FramePlan(
        bootstrap_servers="nowhere:1",
        application="a",
        prefix="",
        partitions=1,
        session_timeout_ms=6_000,
        data_folder=tmp_path,
    )

    async def built() -> AIOKafkaConsumer:
        intake = FaustIntake(plan)
        intake.attach(object())  # type: ignore[arg-type]  # nobody is called before `run`
        thread = thread_of(intake.app)
        return thread._create_worker_consumer(intake.app.transport)  # noqa: SLF001

    assert asyncio.run(built())._isolation_level == "read_committed"  # noqa: SLF001  read at its start


def test_i3_a_seek_labels_every_partition_that_it_moves_and_begins_an_epoch() -> None:
    sought: dict[TP, int] = {}
    thread = thread_of(None)
    thread._ensure_consumer = lambda: SimpleNamespace(seek=sought.__setitem__)  # type: ignore[method-assign]  # noqa: SLF001
    thread.labels = {TP("a", 0): 90, TP("b", 0): 5}
    epoch = asyncio.run(thread._seek_many({TP("a", 0): 7, TP("c", 1): 3}))  # noqa: SLF001
    assert epoch == 1
    assert sought == {TP("a", 0): 7, TP("c", 1): 3}
    assert thread.labels == {TP("a", 0): 7, TP("b", 0): 5, TP("c", 1): 3}
