"""Processes that a stack owns: each in a session of its own, its id on file for the keeper before it runs."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local import keeper
from deploy.local.errors import StackFailed

_NOTED = 'echo $$ > "$0" && exec "$@"'  # the child notes its own id, so none can be forgotten between fork and note
_STOP_WITHIN_S = 15.0
_TAIL_BYTES = 3_000


class Den:
    """A private folder and the keeper that removes it, and whatever runs in it, once this process is gone."""

    def __init__(self) -> None:
        """Make the folder and start the keeper."""
        self.folder = Path(tempfile.mkdtemp(prefix="perennial-stack-"))
        (self.folder / keeper.PIDS).mkdir()
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, str(self.folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=False,
        )

    def close(self) -> None:
        """Let the keeper clear up and wait until it has."""
        if self._keeper.stdin:
            self._keeper.stdin.close()
        self._keeper.wait()


class OwnedProcess:
    """One service process of a den; it can be stopped, killed, frozen, thawed and started again."""

    def __init__(
        self, den: Den, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Describe the process; `start` runs it."""
        self.name, self.log = name, den.folder / f"{name}.log"
        self._pid_file = den.folder / keeper.PIDS / f"{name}.pid"
        self._command, self._folder = tuple(command), den.folder
        self._environment = os.environ | dict(environment or {})
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises when it does not run."""
        if self._running is None or not self.is_running():
            message = f"{self.name} does not run"
            raise StackFailed(message)
        return self._running.pid

    def start(self) -> None:
        """Run the command, its output appended to its log."""
        if self.is_running():
            return
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                ["/bin/sh", "-c", _NOTED, str(self._pid_file), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        """Tell whether the process lives, frozen or not."""
        return self._running is not None and self._running.poll() is None

    def end(self) -> int:
        """Wait until a process that ends by itself has done so, and return its exit status."""
        status = self._running.wait() if self._running else 0
        self._pid_file.unlink(missing_ok=True)
        return status

    def stop(self) -> None:
        """Ask the process to end (SIGTERM), insist after 15 s."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        self._reap(_STOP_WITHIN_S)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self._signal(signal.SIGKILL)
        self._reap(_STOP_WITHIN_S)

    def freeze(self) -> None:
        """Stop the process in its tracks (SIGSTOP); its connections stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def tail(self) -> str:
        """Return the end of the log."""
        return self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        if self._running is not None and self.is_running():
            os.killpg(self._running.pid, number)

    def _reap(self, within_s: float) -> None:
        if self._running is None:
            return
        try:
            self._running.wait(within_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
        self._pid_file.unlink(missing_ok=True)
