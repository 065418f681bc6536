"""What a local stack is to consist of, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Runtime(StrEnum):
    """What the services run on."""

    AUTO = "auto"  # containers where a Docker engine answers, else processes
    CONTAINERS = "containers"
    PROCESSES = "processes"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """The services of a stack and the settings that tests, chaos and bench vary.

    Attributes:
        runtime: containers or processes; tests that need a process id ask for processes.
        brokers: 0, 1 or 3; three form one controller quorum and replicate offsets and transactions.
        redis: whether a Redis belongs to the stack.
        heap_mib: largest heap of each broker's JVM.
        log_folders: where broker `n` keeps its log, by `n`; others keep it in the stack's private folder.
        proxy_ports: port of a TCP proxy in front of broker `n`, by `n`: that broker gets a second listener
            whose advertised address is 127.0.0.1 and this port, so that clients of the proxy stay on it.
        broker_settings: lines of server.properties that win over ours.
        broker_environment: variables for the brokers' processes (a faked clock, for example).
        redis_appends: whether Redis keeps an append-only file (everysec), so that a restart finds its data.
        ready_within_ms: how long a service may take to answer before the start counts as failed.
    """

    runtime: Runtime = Runtime.AUTO
    brokers: int = 1
    redis: bool = True
    heap_mib: int = 512
    log_folders: Mapping[int, Path] = field(default_factory=dict)
    proxy_ports: Mapping[int, int] = field(default_factory=dict)
    broker_settings: Mapping[str, str] = field(default_factory=dict)
    broker_environment: Mapping[str, str] = field(default_factory=dict)
    redis_appends: bool = False
    ready_within_ms: int = 90_000

    def __post_init__(self) -> None:
        """Refuse a quorum that cannot lose a member, or has an even number of them."""
        if self.brokers not in {0, 1, 3}:
            raise ValueError(f"a local stack has 0, 1 or 3 brokers, not {self.brokers}")
