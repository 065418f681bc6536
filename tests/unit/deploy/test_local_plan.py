"""What a plan turns into: ports and server.properties."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.hosting import Service
from deploy.local.kafka import Ports, server_properties
from deploy.local.plan import StackPlan
from deploy.local.ports import HIGHEST, LOWEST, free_ports

PORTS = [Ports(clients=10 * n + 1, quorum=10 * n + 2, behind_proxy=10 * n + 3) for n in range(3)]


@dataclass
class Paper:
    """A host that runs nothing."""

    folder: Path = Path("/stack")
    listen_on: str = "127.0.0.1"

    def kafka(self, file: Path, *, cluster: str, heap_mib: int, environment: Mapping[str, str]) -> Service:
        raise NotImplementedError

    def redis(self, port: int, options: tuple[str, ...]) -> Service:
        raise NotImplementedError


def test_three_brokers_share_a_quorum_and_survive_one() -> None:
    settings = server_properties(Paper(), 1, PORTS, StackPlan(brokers=3))
    assert settings["controller.quorum.voters"] == "0@127.0.0.1:2,1@127.0.0.1:12,2@127.0.0.1:22"
    assert settings["transaction.state.log.replication.factor"] == "3"
    assert settings["transaction.state.log.min.isr"] == "2"
    assert settings["log.dirs"] == "/stack/log-1"


def test_a_broker_behind_a_proxy_advertises_the_proxy() -> None:
    settings = server_properties(Paper(), 0, PORTS[:1], StackPlan(proxy_ports={0: 9999}))
    assert "PROXY://127.0.0.1:3" in settings["listeners"]
    assert "PROXY://127.0.0.1:9999" in settings["advertised.listeners"]
    assert "PLAINTEXT://127.0.0.1:1" in settings["advertised.listeners"]


def test_the_plan_wins_over_our_settings_and_places_the_log() -> None:
    plan = StackPlan(broker_settings={"transaction.max.timeout.ms": "900000"}, log_folders={0: Path("/elsewhere")})
    settings = server_properties(Paper(), 0, PORTS[:1], plan)
    assert settings["transaction.max.timeout.ms"] == "900000"
    assert settings["log.dirs"] == "/elsewhere"


def test_a_quorum_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match="0, 1 or 3 brokers, not 2"):
        StackPlan(brokers=2)


def test_ports_are_distinct_and_outside_the_range_of_outgoing_connections() -> None:
    ports = free_ports(9)
    assert len(set(ports)) == 9
    assert all(LOWEST <= port < HIGHEST for port in ports)
