"""The whole system for a test: its own topics on a shared cluster, its own processes, its own inbox."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from deploy.demo.system import SystemPlan
from tests.e2e.story import PARTITIONS, SESSION_TIMEOUT_MS, Story, a_system


@pytest.fixture
def where(bootstrap: str, redis_url: str, prefix: str, tmp_path: Path) -> SystemPlan:
    """A small system on a virtual clock."""
    return SystemPlan(
        bootstrap_servers=bootstrap,
        redis_url=redis_url,
        folder=tmp_path,
        topic_prefix=f"{prefix}-",
        partitions=PARTITIONS,
        session_timeout_ms=SESSION_TIMEOUT_MS,
    )


@pytest.fixture
def story(where: SystemPlan) -> Iterator[Story]:
    """That system, running, before its first tick."""
    with a_system(where) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of every process's log beside a failure."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for told in (one for one in item.funcargs.values() if isinstance(one, Story)):
            members = told.system.fleet.members.items()
            report.sections.extend((f"log of {name}", member.tail()) for name, member in members)
    return report
