"""Our own commands as child processes: started with an environment, stopped, killed and frozen by their ids.

They belong to a den (deploy/local/process.py), so that none outlives this process, however it ends.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.process import Den, OwnedProcess
from schemas.errors import PerennialError


class ChildEnded(PerennialError):
    """A process of ours ended although nobody asked it to; the message carries the end of its log."""


class Fleet:
    """The processes of one run, by name; leaving the `with` block ends all of them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take what every process of the run shares; nothing starts yet."""
        self._environment = dict(environment)
        self._undo = ExitStack()
        self._den: Den | None = None
        self._members: dict[str, OwnedProcess] = {}

    def __enter__(self) -> Self:
        """Open the den."""
        self._den = Den()
        self._undo.callback(self._den.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process: the last started first, politely."""
        self._undo.close()

    @property
    def den(self) -> Den:
        """Where logs and process ids are kept."""
        if self._den is None:
            raise ChildEnded("the fleet is not open: use it in a `with` block")
        return self._den

    @property
    def members(self) -> Mapping[str, OwnedProcess]:
        """Every process started so far, by name."""
        return self._members

    def perennial(self, name: str, *arguments: str, **environment: str) -> OwnedProcess:
        """Start `perennial ARGUMENTS` under a name of its own."""
        return self.python(name, "-m", "deploy.cli", *arguments, **environment)

    def python(self, name: str, *arguments: str, **environment: str) -> OwnedProcess:
        """Start this Python with these arguments under a name of its own."""
        command = [sys.executable, *arguments]
        member = OwnedProcess(self.den, name, command, environment=self.environment_of(environment))
        self._members[name] = member
        self._undo.callback(member.stop)
        member.start()
        return member

    def environment_of(self, more: Mapping[str, str]) -> dict[str, str]:
        """What a process of this fleet sees: ours, the run's, and its own on top."""
        return os.environ | self._environment | dict(more)

    def check(self) -> None:
        """Raise ChildEnded when a process is gone."""
        for name, member in self._members.items():
            if not member.is_running():
                raise ChildEnded(f"{name} ended by itself (status {member.end()}):\n{member.tail()}")

    def keep_logs(self, folder: Path) -> None:
        """Copy every log, for whoever looks later."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, member in self._members.items():
            if member.log.exists():
                (folder / f"{name}.log").write_bytes(member.log.read_bytes())
