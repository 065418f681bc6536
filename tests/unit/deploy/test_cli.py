"""The command line: it teaches, it answers at once, and an expected error is a sentence with a next step."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import ExitCode

VERBS = frozenset(
    {
        *("worker", "clock", "channel", "contacts", "simulator", "publish", "policy", "explain", "upcoming"),
        *("stop", "start", "dead-letters", "quarantine", "replay", "topics", "doctor", "up", "run", "down", "demo"),
    }
)
FREE_OF_PERENNIAL = {name: value for name, value in os.environ.items() if not name.startswith("PERENNIAL_")}


def perennial(*arguments: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command where no stack stands."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        cwd=folder,
        env=FREE_OF_PERENNIAL | {"COLUMNS": "200"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_verb(tmp_path: Path) -> None:
    told = perennial("--help", folder=tmp_path).stdout
    assert {verb for verb in VERBS if f" {verb} " not in told} == set()


def test_importing_the_command_line_imports_no_client(tmp_path: Path) -> None:
    heavy = "{'faust', 'confluent_kafka', 'redis', 'pydantic', 'jinja2', 'fastavro'}"
    code = f"import sys, deploy.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments", [["explain", "C-1"], ["topics", "plan"], ["worker", "--no-supervised"], ["publish", "x.jsonl"]]
)
def test_without_a_cluster_the_next_step_is_named(tmp_path: Path, arguments: list[str]) -> None:
    done = perennial(*arguments, folder=tmp_path)
    assert done.returncode == ExitCode.SETTINGS_INVALID.status
    assert "run `perennial up`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    done = perennial("explain", "C-1", folder=tmp_path, PERENNIAL_BOOTSTRAP_SERVERS="h:1", PERENNIAL_PARTITIONS="many")
    assert "PERENNIAL_PARTITIONS: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_virtual_clock_needs_its_span(tmp_path: Path) -> None:
    done = perennial("clock", "--virtual", folder=tmp_path, PERENNIAL_BOOTSTRAP_SERVERS="h:1")
    assert "needs --from and a later --until" in done.stderr
