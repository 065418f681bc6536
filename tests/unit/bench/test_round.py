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
from tests.bench.round import measure
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
