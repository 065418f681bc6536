"""A run that cannot take place is void and says why; a process under test never outlives its run."""

import signal
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from schemas.transport.settings import KafkaSettings
from tests.bench.contender import FIRST_FILE, Orders
from tests.bench.dataset import Dataset
from tests.bench.process import Unfinished, running
from tests.bench.progress import Seen
from tests.bench.round import measure, measured_span
from tests.bench.systems import QUIX
from tests.bench.validation import Expected

ORDERS = Orders(bootstrap_servers="", prefix="", application="a", partitions=4, cadence=2_000, folder="")


def test_a_peer_without_its_environment_is_void_and_says_how_to_get_it() -> None:
    dataset = Dataset(prefix="", partitions=4, records=10, ends={}, expected=Expected())
    lacking = replace(QUIX, python=Path("no-such-python"))
    run = measure(KafkaSettings(bootstrap_servers=""), lacking, dataset, ORDERS)
    assert run.failed == ("no .venv-bench: run make bench-setup",)


def test_a_process_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    orders = msgspec.structs.replace(ORDERS, folder=str(tmp_path))
    told = r"(?s)ended by itself with status 1; the end of its log:\n.*No module named"
    with running(Path(sys.executable), "no.such.module", orders) as contender, pytest.raises(Unfinished, match=told):
        contender.wait_until(tmp_path.joinpath(FIRST_FILE).exists, 30, "decoded no record")


def test_a_process_is_killed_at_the_end_of_its_run_and_its_processor_time_is_known(tmp_path: Path) -> None:
    orders = msgspec.structs.replace(ORDERS, folder=str(tmp_path))
    told = "stood still within 0.3 s"
    idling = running(Path(sys.executable), "tests.unit.bench.idling", orders)
    with idling as contender, pytest.raises(Unfinished, match=told):
        contender.wait_until(lambda: False, 0.3, "stood still")
    assert contender.process.returncode == -signal.SIGKILL
    assert contender.used_cpu_s > 0


def test_the_warm_up_and_the_last_commit_are_not_timed() -> None:
    first = Seen(share=0.0, at_ns=0)
    steps = [Seen(share=share, at_ns=at_ns) for share, at_ns in ((0.05, 1), (0.12, 2), (0.5, 5), (0.93, 9), (1.0, 30))]
    assert measured_span(first, steps) == (steps[1], steps[3])


def test_a_system_that_commits_too_rarely_is_timed_as_a_whole() -> None:
    first = Seen(share=0.0, at_ns=0)
    for shares in ((1.0,), (0.9, 1.0), (0.05, 1.0)):
        steps = [Seen(share=share, at_ns=number) for number, share in enumerate(shares, start=1)]
        assert measured_span(first, steps) == (first, steps[-1])
