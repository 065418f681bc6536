"""Worker processes under a test's hand: started, killed, paused and restarted by their process ids."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import ExitCode
from tests.chaos.counting_load import Place

STOP_WITHIN_S = 15.0
EXPECTED_STATUSES = frozenset({0, -signal.SIGKILL, *(code.status for code in ExitCode if code is not ExitCode.CRASHED)})


@dataclass(slots=True)
class Member:
    """One worker and what became of its processes."""

    process: subprocess.Popen[bytes]
    log_from: int
    is_paused: bool = False


@dataclass(slots=True)
class Fleet:
    """Named workers of one place; each has a folder of its own and appends to a log of its own."""

    place: Place
    folder: Path
    module: str = "tests.chaos.counting_worker"
    extra: dict[str, str] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    exits: list[tuple[str, int]] = field(default_factory=list)

    def start(self, name: str, **extra: str) -> None:
        """Start a worker, or start it again on the store it left."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log").open("ab") as log:
            log_from = log.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env={**os.environ, **self._environment(folder), **self.extra, **extra},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.members[name] = Member(process, log_from)

    def kill(self, name: str) -> None:
        """End a worker without a word."""
        self._end(name, signal.SIGKILL)

    def terminate(self, name: str) -> int:
        """Ask a worker to stop, wait for it and give its status."""
        return self._end(name, signal.SIGTERM)

    def pause(self, name: str) -> None:
        """Stop a worker in mid-air."""
        self.members[name].process.send_signal(signal.SIGSTOP)
        self.members[name].is_paused = True

    def wake(self, name: str) -> None:
        """Let a paused worker go on."""
        self.members[name].process.send_signal(signal.SIGCONT)
        self.members[name].is_paused = False

    def restart_ended(self) -> None:
        """Note the exits of workers that ended by themselves, and start them again."""
        for name, member in list(self.members.items()):
            status = member.process.poll()
            if status is not None:
                self.exits.append((name, status))
                self.start(name)

    def stop(self) -> None:
        """End all that still run."""
        for name in list(self.members):
            if self.members[name].is_paused:
                self.wake(name)
            self.terminate(name)

    def log_of(self, name: str) -> str:
        """Give what a worker wrote."""
        return (self.folder / name / "log").read_text(errors="replace")

    @property
    def unexpected_exits(self) -> list[tuple[str, int]]:
        """Exits that no fault explains: unnamed ones."""
        return [(name, status) for name, status in self.exits if status not in EXPECTED_STATUSES]

    def _end(self, name: str, with_signal: signal.Signals) -> int:
        member = self.members.pop(name)
        process = member.process
        process.send_signal(with_signal)
        try:
            status = process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = -signal.SIGALRM  # no worker ends so by itself: it did not stop in time
        if status == -signal.SIGTERM and not self._had_started(name, member):
            status = 0  # Python was still importing: there was nothing to drain and nobody to do it
        self.exits.append((name, status))
        return status

    def _had_started(self, name: str, member: Member) -> bool:
        return b"worker_started" in (self.folder / name / "log").read_bytes()[member.log_from :]

    def _environment(self, folder: Path) -> dict[str, str]:
        return {
            "PERENNIAL_BOOTSTRAP_SERVERS": self.place.bootstrap,
            "PERENNIAL_TOPIC_PREFIX": self.place.prefix,
            "PERENNIAL_APPLICATION": self.place.application,
            "PERENNIAL_PARTITIONS": str(self.place.partitions),
            "PERENNIAL_STATE_DIR": str(folder),
            "PERENNIAL_FAILPOINTS": "",
        }
