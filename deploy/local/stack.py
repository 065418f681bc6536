"""A running Kafka and Redis with one owner: start, health check, faults by hand, and nothing left behind."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from deploy.local.engine import engine_answers
from deploy.local.errors import StackUnavailable
from deploy.local.hosting import Host
from deploy.local.kafka import KafkaBroker, Ports, describe_brokers
from deploy.local.plan import Runtime, StackPlan
from deploy.local.ports import free_ports
from deploy.local.process import Den
from deploy.local.processes import Processes
from deploy.local.redis import RedisServer, describe_redis


class LocalStack:
    """Services of one plan for as long as the `with` block lasts.

    `with LocalStack(StackPlan(brokers=1)) as stack:` returns once every service answers. Success, failure, Ctrl-C,
    SIGTERM and `kill -9` of this process all end with no process and no folder left (R61).
    """

    def __init__(self, plan: StackPlan | None = None) -> None:
        """Take the plan; nothing starts before `__enter__` or `start`."""
        self.plan = plan or StackPlan()
        self.brokers: tuple[KafkaBroker, ...] = ()
        self._redis: RedisServer | None = None
        self._undo = ExitStack()

    @property
    def bootstrap_servers(self) -> str:
        """Direct addresses of all brokers, as Kafka clients take them."""
        return ",".join(one.address for one in self.brokers)

    @property
    def redis_url(self) -> str:
        """Address of the Redis."""
        return self.redis.url

    @property
    def redis(self) -> RedisServer:
        """The Redis of this stack."""
        if self._redis is None:
            message = "this stack was planned without Redis, or has not started"
            raise StackUnavailable(message)
        return self._redis

    def broker(self, number: int) -> KafkaBroker:
        """Return broker `number`, counted from 0."""
        return self.brokers[number]

    def start(self) -> Self:
        """Start every service and wait until all answer; clears up if one does not."""
        with ExitStack() as undo:
            self._start(undo)
            self._undo = undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop every service and remove the private folder; a second call does nothing."""
        self._undo.close()
        self.brokers, self._redis = (), None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, whatever happened."""
        self.stop()

    def _start(self, undo: ExitStack) -> None:
        redis_port, *kafka_ports = free_ports(1 + 3 * self.plan.brokers)
        den = Den()
        undo.callback(den.close)
        host = self._host(den, undo, (redis_port, *kafka_ports))
        if self.plan.redis:
            self._redis = describe_redis(host, redis_port, self.plan)
            undo.callback(self._redis.stop)
            self._redis.launch()
        self._start_brokers(host, kafka_ports, undo)
        if self._redis:
            self._redis.await_ready()
        for one in self.brokers:
            one.await_alive(self.plan.brokers)

    def _start_brokers(self, host: Host, ports: list[int], undo: ExitStack) -> None:
        threes = (ports[at : at + 3] for at in range(0, len(ports), 3))
        mine = [Ports(clients=one, quorum=two, behind_proxy=three) for one, two, three in threes]
        self.brokers = describe_brokers(host, mine, self.plan)
        for broker in self.brokers:
            undo.callback(broker.kill)  # the log is thrown away, so an orderly shutdown would buy nothing
            broker.launch()

    def _host(self, den: Den, undo: ExitStack, ports: tuple[int, ...]) -> Host:
        if self.plan.runtime is Runtime.PROCESSES or (self.plan.runtime is Runtime.AUTO and not engine_answers()):
            return Processes(den)
        from deploy.local.containers import Containers  # noqa: PLC0415  testcontainers is slow to import

        host = Containers(den.folder, ports, self.plan.log_folders.values())
        undo.callback(host.close)
        return host
