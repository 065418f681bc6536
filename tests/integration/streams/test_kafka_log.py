"""Real Kafka keeps the contract that the log in memory keeps."""

import pytest

from streams.kafka_log import KafkaLog
from tests.chaos.counting_load import Place
from tests.contract.log_suite import LogContract


class TestKafkaLog(LogContract):
    """The suite, on the broker."""

    @pytest.fixture
    def log(self, place: Place) -> KafkaLog:
        return KafkaLog(place.settings, application=place.application, prefix=place.prefix)
