"""Real Kafka and Redis for every test that asks for them: one lazily started stack a session, or running ones.

PERENNIAL_TEST_BOOTSTRAP and PERENNIAL_TEST_REDIS name running services, shared by several sessions; topics, groups
and transactional ids of a test begin with its `prefix`, so that they never meet.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from deploy.local.errors import StackUnavailable
from deploy.local.plan import StackPlan
from deploy.local.stack import LocalStack

HERE = Path(__file__).parent
MARKED_BY_FOLDER = frozenset({"integration", "e2e", "chaos", "bench"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test after the folder it stands in, so that none is run without what it needs."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        if folder in MARKED_BY_FOLDER:
            item.add_marker(folder)


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """One broker and one Redis for the whole session; a test that harms them starts its own."""
    try:
        local = LocalStack(StackPlan()).start()
    except StackUnavailable as missing:
        skip_or_fail(str(missing))
    yield local
    local.stop()


@pytest.fixture(scope="session")
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Bootstrap servers of the running Kafka."""
    running = os.environ.get("PERENNIAL_TEST_BOOTSTRAP")
    return running or str(request.getfixturevalue("stack").bootstrap_servers)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """Address of the running Redis."""
    running = os.environ.get("PERENNIAL_TEST_REDIS")
    return running or str(request.getfixturevalue("stack").redis_url)


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A beginning for names of topics, groups and transactional ids that no other test uses."""
    return f"{request.node.originalname[:40].replace('_', '-')}-{uuid.uuid4().hex[:8]}"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip where a service is missing on a developer's machine; in CI a missing service is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
