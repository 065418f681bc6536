"""A process under test: started under its orders, watched, and killed so that no shutdown is ever timed."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.bench.contender import FIRST_FILE, First, Orders

ROOT = Path(__file__).parents[2]
LOOK_S = 0.02
FIRST_WITHIN_S = 90
TAIL_BYTES = 2_000


class Unfinished(Exception):
    """A process died, or did not come to the end in time; the message ends with the end of its log."""


@dataclass(slots=True)
class Contender:
    """One running process; `used_cpu_s` is what it used in all, once it has ended."""

    process: "subprocess.Popen[bytes]"
    orders: Orders
    log: Path
    used_cpu_s: float = 0.0

    def first(self) -> First:
        """Wait for its first decoded record."""
        path = Path(self.orders.folder, FIRST_FILE)
        self.wait_until(path.exists, FIRST_WITHIN_S, "decoded no record")
        return msgspec.json.decode(path.read_bytes(), type=First)

    def wait_until(self, is_so: Callable[[], bool], within_s: float, what: str) -> int:
        """Return the monotonic nanoseconds at which something was seen to be so.

        Raises:
            Unfinished: it ended before, or did not get there in time.
        """
        deadline = time.monotonic() + within_s
        while not is_so():
            if self.process.poll() is not None:
                raise Unfinished(f"ended by itself with status {self.process.returncode}; {self._tail()}")
            if time.monotonic() > deadline:
                raise Unfinished(f"{what} within {within_s:g} s; {self._tail()}")
            time.sleep(LOOK_S)
        return time.monotonic_ns()

    def end(self) -> None:
        """Kill it and note the processor time that it used, threads included."""
        if self.process.poll() is not None:
            return
        self.process.kill()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.used_cpu_s = usage.ru_utime + usage.ru_stime

    def _tail(self) -> str:
        said = self.log.read_bytes()[-TAIL_BYTES:].decode("utf-8", errors="replace")
        return f"the end of its log:\n{said}"


@contextmanager
def running(python: Path, module: str, orders: Orders) -> Iterator[Contender]:
    """Run a module under orders; its output goes to a log in the run's folder."""
    folder = Path(orders.folder)
    told, log = folder / f"{module}.json", folder / f"{module}.log"
    told.write_bytes(msgspec.json.encode(orders))
    with log.open("wb") as said:
        command = [str(python), "-m", module, str(told)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
    contender = Contender(process, orders, log)
    try:
        yield contender
    finally:
        contender.end()
