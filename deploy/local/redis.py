"""The Redis of a stack: start, health check, and faults by hand."""

from deploy.local import probe
from deploy.local.errors import StackFailed
from deploy.local.hosting import Host, Service
from deploy.local.plan import StackPlan


class RedisServer:
    """One Redis on the loopback; it keeps its port over restarts, and its data only if the plan says so."""

    def __init__(self, service: Service, port: int, plan: StackPlan) -> None:
        """Take a described service."""
        self.service, self.port, self._plan = service, port, plan

    @property
    def url(self) -> str:
        """Address as Redis clients take it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def launch(self) -> None:
        """Start without waiting for it to answer."""
        self.service.start()

    def await_ready(self) -> None:
        """Return once it has loaded its data and serves."""

        def settled() -> bool:
            return not self.service.is_running() or probe.redis_answers(self.port)

        if not probe.wait_until(settled, within_ms=self._plan.ready_within_ms) or not self.service.is_running():
            raise StackFailed(f"Redis at port {self.port} did not come up; the end of its log:\n{self.service.tail()}")

    def restart(self) -> None:
        """Start a stopped or killed Redis and wait until it serves."""
        self.launch()
        self.await_ready()

    def flush(self) -> None:
        """Forget everything, as FLUSHALL does."""
        answer = probe.redis_command(self.port, b"FLUSHALL")
        if not answer.startswith(b"+OK"):
            raise StackFailed(f"Redis at port {self.port} did not flush: {answer!r}")

    def stop(self) -> None:
        """Shut down in order."""
        self.service.stop()

    def kill(self) -> None:
        """End at once, as by `kill -9`."""
        self.service.kill()

    def freeze(self) -> None:
        """Stop in its tracks; connections stay open and nobody answers."""
        self.service.freeze()

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self.service.thaw()

    def is_running(self) -> bool:
        """Tell whether it lives."""
        return self.service.is_running()


def describe_redis(host: Host, port: int, plan: StackPlan) -> RedisServer:
    """Describe the Redis of a new stack, not yet started."""
    data = host.folder / "redis"
    data.mkdir()
    kept = ("--appendonly", "yes", "--appendfsync", "everysec") if plan.redis_appends else ("--appendonly", "no")
    options = ("--bind", host.listen_on, "--protected-mode", "no", "--save", "", *kept, "--dir", str(data))
    return RedisServer(host.redis(port, options), port, plan)
