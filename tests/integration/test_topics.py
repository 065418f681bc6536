"""The topics of the catalogue on a real cluster."""

from collections.abc import Iterator

import pytest

from schemas.transport.admin import TopicAdmin
from schemas.transport.settings import KafkaSettings
from tests.contract.topics_suite import TopicsSuite


class TestTopicsOnKafka(TopicsSuite):
    """The suite of `perennial topics` on Apache Kafka."""

    @pytest.fixture
    def cluster(self, bootstrap: str, prefix: str) -> Iterator[TopicAdmin]:
        admin = TopicAdmin(KafkaSettings(bootstrap_servers=bootstrap))
        yield admin
        admin.delete([name for name in admin.describe() if name.startswith(prefix)])
