"""A stage of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivering.stage import Stage


@pytest.fixture
def stage(bootstrap: str, redis_url: str, prefix: str, tmp_path: Path) -> Iterator[Stage]:
    """Topics, keys and processes that no other test sees."""
    stage = Stage(bootstrap=bootstrap, redis_url=redis_url, prefix=f"{prefix}.", folder=tmp_path)
    yield stage
    stage.close()
