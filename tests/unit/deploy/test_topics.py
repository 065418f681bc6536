"""The topics of the catalogue on a cluster in memory."""

import pytest

from tests.contract.memory_cluster import MemoryCluster
from tests.contract.topics_suite import TopicsSuite


class TestTopicsInMemory(TopicsSuite):
    """The suite of `perennial topics` without a broker."""

    @pytest.fixture
    def cluster(self) -> MemoryCluster:
        return MemoryCluster()
