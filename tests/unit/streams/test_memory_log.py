"""The log in memory keeps the contract that real Kafka keeps."""

import pytest

from streams.memory_log import MemoryCluster, MemoryLog
from tests.contract.log_suite import LogContract


class TestMemoryLog(LogContract):
    """The suite, on a cluster in memory."""

    @pytest.fixture
    def log(self) -> MemoryLog:
        return MemoryLog(MemoryCluster(1), "counting")
