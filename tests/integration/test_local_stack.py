"""The local stack starts real services, takes faults by hand, and stops."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import probe
from deploy.local.errors import StackFailed
from deploy.local.kafka import KafkaBroker
from deploy.local.plan import StackPlan
from deploy.local.ports import free_ports
from deploy.local.stack import LocalStack

WITHIN_MS = 30_000


@pytest.fixture(scope="module")
def proxy_port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def mine(proxy_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of this file's own, started in a thread that has ended long before the tests run."""
    plan = StackPlan(
        proxy_ports={0: proxy_port}, log_folders={0: tmp_path_factory.mktemp("broker") / "log"}, redis_appends=True
    )
    with ThreadPoolExecutor(1) as thread:
        stack = thread.submit(LocalStack(plan).start).result()
    yield stack
    stack.stop()
    assert not answers(stack.bootstrap_servers)


def answers(address: str) -> bool:
    return probe.brokers_alive(int(address.rpartition(":")[2] or 1)) > 0


def test_every_service_answers_and_the_log_is_where_the_plan_says(mine: LocalStack) -> None:
    assert answers(mine.bootstrap_servers)
    assert probe.redis_answers(mine.redis.port)
    assert (mine.plan.log_folders[0] / "meta.properties").exists()


def test_a_broker_keeps_its_address_and_its_log_over_kill_and_restart(mine: LocalStack) -> None:
    broker: KafkaBroker = mine.broker(0)
    identity = (mine.plan.log_folders[0] / "meta.properties").read_text()
    broker.kill()
    assert not broker.is_running()
    assert not answers(mine.bootstrap_servers)
    broker.restart()
    assert answers(mine.bootstrap_servers)
    assert (mine.plan.log_folders[0] / "meta.properties").read_text() == identity


def test_a_frozen_broker_is_silent_until_it_is_thawed(mine: LocalStack) -> None:
    mine.broker(0).freeze()
    assert mine.broker(0).is_running()
    assert not answers(mine.bootstrap_servers)
    mine.broker(0).thaw()
    assert probe.wait_until(lambda: answers(mine.bootstrap_servers), within_ms=WITHIN_MS)


def test_the_listener_behind_the_proxy_answers(mine: LocalStack) -> None:
    assert answers(mine.broker(0).behind_proxy_address)


def test_a_killed_redis_with_an_append_only_file_finds_its_data_and_a_flush_forgets_it(mine: LocalStack) -> None:
    redis = mine.redis
    probe.redis_command(redis.port, b"SET contact here")
    redis.stop()
    redis.restart()
    assert b"here" in probe.redis_command(redis.port, b"GET contact")
    redis.kill()
    assert not probe.redis_answers(redis.port)
    redis.restart()
    redis.flush()
    assert probe.redis_command(redis.port, b"GET contact").startswith(b"$-1")


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    plan = StackPlan(redis=False, broker_settings={"log.dirs": str(tmp_path / "log"), "num.io.threads": "-1"})
    with pytest.raises(StackFailed, match=r"num\.io\.threads"):
        LocalStack(plan).start()


def test_two_stacks_at_once_do_not_meet() -> None:
    with LocalStack(StackPlan(brokers=0)) as one, LocalStack(StackPlan(brokers=0)) as other:
        probe.redis_command(one.redis.port, b"SET mine here")
        assert b"here" not in probe.redis_command(other.redis.port, b"GET mine")


def test_three_brokers_go_on_without_one_and_take_it_back() -> None:
    with LocalStack(StackPlan(brokers=3, redis=False, heap_mib=256)) as stack:
        stack.broker(1).kill()
        assert probe.wait_until(lambda: probe.brokers_alive(stack.broker(0).ports.clients) == 2, within_ms=WITHIN_MS)
        stack.broker(1).restart()
        stack.broker(1).await_alive(3)
