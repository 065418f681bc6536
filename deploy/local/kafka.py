"""The Kafka brokers of a stack: KRaft in combined mode, small heap, quick to start, and faults by hand."""

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.local import probe
from deploy.local.errors import StackFailed
from deploy.local.hosting import Host, Service
from deploy.local.plan import StackPlan

_SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXY:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "transaction.max.timeout.ms": "60000",  # no upstream can hold the last stable offset for longer
    "log.cleaner.dedupe.buffer.size": "33554432",
    "log.cleaner.backoff.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
    "log.initial.task.delay.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "broker.heartbeat.interval.ms": "500",
}
_LONE_SESSION_MS = 6_000  # nobody can take over: a lone broker fenced while busy only leaves all without leaders
_SESSION_MS = 3_000  # the others take over soon
_REPLICATED = (
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "share.coordinator.state.topic.replication.factor",
    "default.replication.factor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where one broker listens: for clients, for the quorum, and behind its proxy."""

    clients: int
    quorum: int
    behind_proxy: int


class KafkaBroker:
    """One broker; it keeps its ports and its log over restarts."""

    def __init__(self, number: int, service: Service, ports: Ports, plan: StackPlan) -> None:
        """Take a described service."""
        self.number, self.service, self.ports, self._plan = number, service, ports, plan

    @property
    def address(self) -> str:
        """Where clients reach this broker directly."""
        return f"127.0.0.1:{self.ports.clients}"

    @property
    def behind_proxy_address(self) -> str:
        """Where the broker listens for its proxy; what it advertises there is the proxy's own address."""
        return f"127.0.0.1:{self.ports.behind_proxy}"

    def launch(self) -> None:
        """Start without waiting for it to answer."""
        self.service.start()

    def await_alive(self, brokers: int) -> None:
        """Return once this broker answers and counts `brokers` of the cluster as alive."""

        def settled() -> bool:
            return not self.is_running() or probe.brokers_alive(self.ports.clients) >= brokers

        answered = probe.wait_until(settled, within_ms=self._plan.ready_within_ms)
        if not answered or not self.is_running():
            raise StackFailed(
                f"broker {self.number} at {self.address} did not come up; the end of its log:\n{self.service.tail()}"
            )

    def restart(self) -> None:
        """Start a stopped or killed broker on its old ports and log; wait until it answers in a majority."""
        self.launch()
        self.await_alive(_majority(self._plan))

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


def describe_brokers(host: Host, ports: Sequence[Ports], plan: StackPlan) -> tuple[KafkaBroker, ...]:
    """Describe the brokers of a new cluster, not yet started."""
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")  # "-t -x" is no argument
    return tuple(_describe(host, number, cluster, ports, plan) for number in range(plan.brokers))


def _describe(host: Host, number: int, cluster: str, ports: Sequence[Ports], plan: StackPlan) -> KafkaBroker:
    file = host.folder / f"broker-{number}.properties"
    settings = server_properties(host, number, ports, plan)
    file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    service = host.kafka(file, cluster=cluster, heap_mib=plan.heap_mib, environment=plan.broker_environment)
    return KafkaBroker(number, service, ports[number], plan)


def server_properties(host: Host, number: int, ports: Sequence[Ports], plan: StackPlan) -> dict[str, str]:
    """Give the settings of broker `number`; those of the plan win."""
    mine = ports[number]
    listeners = {"PLAINTEXT": mine.clients, "CONTROLLER": mine.quorum}
    advertised = {"PLAINTEXT": mine.clients}
    if number in plan.proxy_ports:
        listeners["PROXY"], advertised["PROXY"] = mine.behind_proxy, plan.proxy_ports[number]
    return {
        **_SETTINGS,
        **dict.fromkeys(_REPLICATED, str(plan.brokers)),
        "node.id": str(number),
        "broker.session.timeout.ms": str(_LONE_SESSION_MS if plan.brokers == 1 else _SESSION_MS),
        "transaction.state.log.min.isr": str(_majority(plan)),
        "min.insync.replicas": str(_majority(plan)),
        "listeners": _listeners(host.listen_on, listeners),
        "advertised.listeners": _listeners("127.0.0.1", advertised),
        "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{one.quorum}" for n, one in enumerate(ports)),
        "log.dirs": str(plan.log_folders.get(number, host.folder / f"log-{number}")),
        **plan.broker_settings,
    }


def _listeners(host: str, ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{host}:{port}" for name, port in ports.items())


def _majority(plan: StackPlan) -> int:
    return plan.brokers // 2 + 1
