"""A running Kafka and Redis with one owner: start, health check, faults by hand, and nothing left behind."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from deploy.local.errors import StackUnavailable
from deploy.local.kafka import KafkaBroker, describe_brokers
from deploy.local.plan import StackPlan
from deploy.local.process import Den
from deploy.local.valkey import RedisServer, describe_redis


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
        den = Den()
        undo.callback(den.close)
        if self.plan.redis:
            self._redis = describe_redis(den, self.plan)
            undo.callback(self._redis.stop)
        self.brokers = describe_brokers(den, self.plan)
        for one in self.brokers:
            undo.callback(one.kill)  # the log is thrown away, so an orderly shutdown would buy nothing
            one.launch()
        if self._redis:
            self._redis.restart()
        for one in self.brokers:
            one.await_all()
