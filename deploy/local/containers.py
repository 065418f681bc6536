"""Services as containers of a Docker engine: the official images, all in one network namespace.

A holder container publishes every port, and brokers and Redis share its network, so that they find each other on
127.0.0.1 exactly as processes do and one of them can be killed without taking a port away. The private folder is
mounted under its own path. Testcontainers' reaper removes the containers when this process is killed.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from testcontainers.core.container import DockerContainer

from deploy.local.errors import StackFailed

KAFKA_IMAGE, REDIS_IMAGE = "apache/kafka:4.1.1", "redis:8-alpine"
_STOP_WITHIN_S = 15
_TAIL_LINES = 40


class OwnedContainer:
    """One service container; it keeps its name and its files over restarts."""

    def __init__(self, name: str, container: DockerContainer) -> None:
        """Take a described container; `start` runs it."""
        self.name, self._container = name, container
        self._was_started = False

    def start(self) -> None:
        """Create and run it, or run it again."""
        if not self._was_started:
            self._container.start()
            self._was_started = True
        elif not self.is_running():
            self._container.get_wrapped_container().start()

    def container_id(self) -> str:
        """The engine's name of it."""
        return str(self._container.get_wrapped_container().id)

    def is_running(self) -> bool:
        """Tell whether it lives, frozen or not."""
        if not self._was_started:
            return False
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return str(wrapped.status) in {"created", "running", "paused", "restarting"}

    def stop(self) -> None:
        """Shut it down in order, by force after 15 s."""
        if self.is_running():
            self._container.get_wrapped_container().stop(timeout=_STOP_WITHIN_S)

    def kill(self) -> None:
        """End it at once."""
        if self.is_running():
            self._container.get_wrapped_container().kill()

    def freeze(self) -> None:
        """Pause all its processes."""
        self._container.get_wrapped_container().pause()

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._container.get_wrapped_container().unpause()

    def tail(self) -> str:
        """Return the end of its log."""
        if not self._was_started:
            return ""
        return bytes(self._container.get_wrapped_container().logs(tail=_TAIL_LINES)).decode(errors="replace")

    def remove(self) -> None:
        """Delete the container."""
        if self._was_started:
            self._container.stop()


class Containers:
    """The host that runs services as containers behind published ports."""

    listen_on = "0.0.0.0"  # noqa: S104  inside the holder's namespace; published on the loopback only

    def __init__(self, folder: Path, ports: Sequence[int], mounts: Iterable[Path]) -> None:
        """Start the holder that publishes `ports` on the loopback."""
        self.folder, self._mounts, self._made = folder, (folder, *mounts), list[OwnedContainer]()
        holder = DockerContainer(KAFKA_IMAGE).with_command(["sleep", "infinity"])
        published: dict[str, Any] = {f"{port}/tcp": ("127.0.0.1", port) for port in ports}
        holder.ports.update(published)  # the engine takes an address too, the wrapper's annotation only a number
        self._holder = OwnedContainer("holder", holder)
        self._holder.start()
        if not self._holder.is_running():
            raise StackFailed(f"the container that publishes the ports ended at once:\n{self._holder.tail()}")

    def kafka(self, file: Path, *, cluster: str, heap_mib: int, environment: Mapping[str, str]) -> OwnedContainer:
        """Describe the broker; it formats its log folder on its first start."""
        run = (
            f"/opt/kafka/bin/kafka-storage.sh format -t {cluster} -c {file} --ignore-formatted"
            f" && exec /opt/kafka/bin/kafka-server-start.sh {file}"
        )
        heap = {"KAFKA_HEAP_OPTS": f"-Xmx{heap_mib}m", "LOG_DIR": str(self.folder / f"{file.stem}-logs")}
        return self._describe(file.stem, KAFKA_IMAGE, ["sh", "-c", run], heap | dict(environment))

    def redis(self, port: int, options: tuple[str, ...]) -> OwnedContainer:
        """Describe a Redis."""
        return self._describe("redis", REDIS_IMAGE, ["redis-server", "--port", str(port), *options], {})

    def close(self) -> None:
        """Remove every container."""
        for one in (*self._made, self._holder):
            one.remove()

    def _describe(self, name: str, image: str, command: list[str], environment: Mapping[str, str]) -> OwnedContainer:
        holder = self._holder.container_id()
        container = (
            DockerContainer(image)
            .with_command(command)
            .with_envs(**environment)
            .with_kwargs(network_mode=f"container:{holder}", user=f"{os.getuid()}:{os.getgid()}")
        )
        for mount in self._mounts:
            container.with_volume_mapping(str(mount), str(mount), "rw")
        made = OwnedContainer(name, container)
        self._made.append(made)
        return made
