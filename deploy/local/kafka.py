"""Kafka brokers as local processes: KRaft in combined mode, small heap, quick to start."""

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import jars, probe
from deploy.local.errors import StackFailed
from deploy.local.plan import StackPlan
from deploy.local.ports import free_ports
from deploy.local.process import Den, OwnedProcess

_FAST_JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=4",
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
)
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
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controlled.shutdown.enable": "true",
}
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
    """One broker process; it keeps its ports and its log over restarts."""

    def __init__(self, number: int, process: OwnedProcess, ports: Ports, plan: StackPlan) -> None:
        """Take a described process whose log folder is formatted."""
        self.number, self.process, self.ports, self._plan = number, process, ports, plan

    @property
    def address(self) -> str:
        """Where clients reach this broker directly."""
        return f"127.0.0.1:{self.ports.clients}"

    @property
    def behind_proxy_address(self) -> str:
        """Where the broker listens for its proxy; what it advertises there is the proxy's own address."""
        return f"127.0.0.1:{self.ports.behind_proxy}"

    def launch(self) -> None:
        """Start the process without waiting for it to answer."""
        self.process.start()

    def await_ready(self) -> None:
        """Return once this broker counts a majority of the plan's brokers as alive."""
        majority = self._plan.brokers // 2 + 1
        self._await(majority)

    def await_all(self) -> None:
        """Return once this broker counts all of the plan's brokers as alive."""
        self._await(self._plan.brokers)

    def restart(self) -> None:
        """Start a stopped or killed broker on its old ports and log, and wait until it answers."""
        self.launch()
        self.await_ready()

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

    def _await(self, alive: int) -> None:
        def settled() -> bool:
            return not self.is_running() or probe.brokers_alive(self.ports.clients) >= alive

        answered = probe.wait_until(settled, within_ms=self._plan.ready_within_ms)
        if not answered or not self.is_running():
            message = (
                f"broker {self.number} at {self.address} did not come up; the end of its log:\n{self.process.tail()}"
            )
            raise StackFailed(message)


def describe_brokers(den: Den, plan: StackPlan) -> tuple[KafkaBroker, ...]:
    """Format the log folders of a new cluster and return its brokers, not yet started."""
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    ports = _ports(plan.brokers)
    brokers, formatting = [], []
    for number in range(plan.brokers):
        file = den.folder / f"broker-{number}.properties"
        file.write_text(_properties(number, ports, plan, den.folder))
        formatting.append(_format(den, cluster, file))
        process = OwnedProcess(
            den,
            f"broker-{number}",
            [*_jvm(f"-Xmx{plan.heap_mib}m", f"-Xms{min(plan.heap_mib, 256)}m"), "kafka.Kafka", str(file)],
            environment=plan.broker_environment,
        )
        brokers.append(KafkaBroker(number, process, ports[number], plan))
    for one in formatting:
        _await_format(one)
    return tuple(brokers)


def _ports(brokers: int) -> list[Ports]:
    found = free_ports(3 * brokers)
    return [Ports(clients=a, quorum=b, behind_proxy=c) for a, b, c in zip(*[iter(found)] * 3, strict=True)]


def _properties(number: int, ports: Sequence[Ports], plan: StackPlan, folder: Path) -> str:
    mine = ports[number]
    listeners = {"PLAINTEXT": mine.clients, "CONTROLLER": mine.quorum}
    advertised = {"PLAINTEXT": mine.clients}
    if number in plan.proxy_ports:
        listeners["PROXY"], advertised["PROXY"] = mine.behind_proxy, plan.proxy_ports[number]
    copies = str(plan.brokers)
    settings = {
        **_SETTINGS,
        **dict.fromkeys(_REPLICATED, copies),
        "node.id": str(number),
        "transaction.state.log.min.isr": str(plan.brokers // 2 + 1),
        "min.insync.replicas": str(plan.brokers // 2 + 1),
        "listeners": _listeners(listeners),
        "advertised.listeners": _listeners(advertised),
        "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{one.quorum}" for n, one in enumerate(ports)),
        "log.dirs": str(plan.log_folders.get(number, folder / f"log-{number}")),
        **plan.broker_settings,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _listeners(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _jvm(*options: str) -> list[str]:
    log4j = f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}"
    return [str(jars.java()), *_FAST_JVM, *options, log4j, "-cp", f"{jars.kafka_jars()}/*"]


def _format(den: Den, cluster: str, file: Path) -> OwnedProcess:
    command = [*_jvm("-Xmx64m", "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool", "format"]
    one = OwnedProcess(den, f"format-{file.stem}", [*command, "-t", cluster, "-c", str(file), "--ignore-formatted"])
    one.start()
    return one


def _await_format(one: OwnedProcess) -> None:
    if one.end() != 0:
        message = f"Kafka's StorageTool could not format a log folder:\n{one.tail()}"
        raise StackFailed(message)
