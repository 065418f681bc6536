"""What can be done to any service of a stack, whether it is a process or a container."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Service(Protocol):
    """One Kafka broker or Redis as something that runs; `processes` and `containers` make them."""

    name: str

    def start(self) -> None:
        """Run it (again) without waiting for it to answer; nothing happens when it runs."""

    def is_running(self) -> bool:
        """Tell whether it lives, frozen or not."""

    def stop(self) -> None:
        """Shut it down in order, by force after 15 s."""

    def kill(self) -> None:
        """End it at once, as by `kill -9`."""

    def freeze(self) -> None:
        """Stop it in its tracks; its connections stay open and nobody answers."""

    def thaw(self) -> None:
        """Let it go on after `freeze`."""

    def tail(self) -> str:
        """Return the end of its log."""


class Host(Protocol):
    """What makes services: this machine's processes, or a container engine."""

    folder: Path
    listen_on: str

    def kafka(self, file: Path, *, cluster: str, heap_mib: int, environment: Mapping[str, str]) -> Service:
        """Describe the broker whose server.properties are `file`; its log folder is formatted before it starts."""

    def redis(self, port: int, options: tuple[str, ...]) -> Service:
        """Describe a Redis at `port` with these command line options."""
