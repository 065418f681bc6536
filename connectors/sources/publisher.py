"""What publishes facts, requests and policies: several records in one transaction, visible together or not at all."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from schemas.errors import TransportError
from schemas.transport.errors import CommitUnknown
from schemas.transport.producer import ANY_PARTITION, FencedProducer
from schemas.transport.settings import KafkaSettings

_COMMIT_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One record to publish; `value` None is a tombstone, `partition` -1 lets the key decide."""

    topic: str
    key: bytes
    value: bytes | None
    partition: int = ANY_PARTITION


class Outlet(Protocol):
    """Where records go."""

    def publish(self, records: Iterable[Outgoing]) -> None:
        """Make all of these records visible at once, or none of them."""


class Publisher:
    """An outlet on Kafka; the last one opened under an id shuts out its predecessors."""

    def __init__(self, settings: KafkaSettings, transactional_id: str) -> None:
        """Make the producer; `with` opens it."""
        self._producer = FencedProducer(settings, transactional_id)

    def __enter__(self) -> Self:
        """Fence whoever published under this id before."""
        self._producer.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        self._producer.close()

    def publish(self, records: Iterable[Outgoing]) -> None:
        """Publish in one transaction; returns once it is known to stand."""
        self._producer.begin()
        try:
            for one in records:
                self._producer.produce(one.topic, one.key, one.value, one.partition)
        except BaseException:
            with suppress(TransportError):  # what went wrong first is what a person must read
                self._producer.abort()
            raise
        self._commit()

    def _commit(self) -> None:
        for _ in range(_COMMIT_TRIES):
            with suppress(CommitUnknown):  # unanswered: repeat the commit, never the batch (I2)
                return self._producer.commit()
        return self._producer.commit()
