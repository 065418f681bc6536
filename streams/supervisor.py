"""Starts a worker again after a crash, with growing pauses, and tells the next one how the last one ended."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from schemas.errors import ExitCode

log = structlog.get_logger("perennial.supervisor")
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 500, 30_000
LONGEST_BROKER_PAUSE_MS = 5_000  # the cause is elsewhere and gone at once: whoever waits longer is late (F05)
STEADY_MS = 60_000  # a worker that lived this long begins again with the first pause
STOP_WITHIN_S = 15.0
_FINAL = frozenset({ExitCode.SETTINGS_INVALID})
_ENVIRONMENT = "PERENNIAL_PREVIOUS_EXIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What to do after a child ended: wait, or (None) do not start it again."""

    pause_ms: int | None


def restart_after(status: int, lived_ms: int, last_pause_ms: int) -> Restart:
    """Decide from how a child ended and how long it had lived; 0 is an orderly end."""
    if status == 0 or code_of(status) in _FINAL:
        return Restart(pause_ms=None)
    if lived_ms >= STEADY_MS or not last_pause_ms:
        return Restart(pause_ms=FIRST_PAUSE_MS)
    is_broker_away = code_of(status) is ExitCode.BROKER_UNAVAILABLE
    longest_ms = LONGEST_BROKER_PAUSE_MS if is_broker_away else LONGEST_PAUSE_MS
    return Restart(pause_ms=min(longest_ms, last_pause_ms * 2))


def code_of(status: int) -> ExitCode:
    """Name an exit status; what is none of ours (a signal, a bug in the interpreter) is `crashed`."""
    return next((code for code in ExitCode if code.status == status), ExitCode.CRASHED)


def supervise(command: Sequence[str], *, state_dir: Path) -> int:
    """Run a command until it ends in order or is told to; SIGTERM and SIGINT are passed on. Gives its status.

    How a child ended reaches the next one by its environment, and people by the file `previous-exit` in `state_dir`.
    """
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    environment, pause_ms = dict(os.environ), 0
    while True:
        began = time.monotonic()
        status = _run(command, environment, told)
        decided = restart_after(status, int((time.monotonic() - began) * 1000), pause_ms)
        if decided.pause_ms is None or told.is_set():
            return status
        pause_ms = decided.pause_ms
        environment[_ENVIRONMENT] = code_of(status).value
        state_dir.mkdir(parents=True, exist_ok=True)
        state_dir.joinpath("previous-exit").write_text(f"{code_of(status).value}\n", encoding="utf-8")
        log.error("worker_restarts", previous_exit=code_of(status).value, status=status, pause_ms=pause_ms)
        if told.wait(pause_ms / 1000):
            return status


def _run(command: Sequence[str], environment: dict[str, str], told: threading.Event) -> int:
    child = subprocess.Popen(command, env=environment)  # noqa: S603  the command is ours, never a user's text
    while child.poll() is None:
        if told.wait(0.1):
            return _stop(child)
    return child.returncode


def _stop(child: subprocess.Popen[bytes]) -> int:
    child.terminate()
    try:
        return child.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()
