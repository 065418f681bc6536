"""The tail of fences: a registry that cannot tell a schema makes it wait, so that nothing is called meanwhile."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

import pytest
from structlog.testing import capture_logs

from connectors.delivery import fence_tail
from connectors.delivery.fence_tail import FenceTail
from schemas import topics
from schemas.codec import Codec
from schemas.identity import HEARTBEAT_KEY, hold_fence
from schemas.registry import PackagedRegistry
from schemas.transport.records import Position, Record, TopicPartition
from schemas.transport.settings import KafkaSettings
from tests.builders import a_heartbeat, a_hold
from tests.delivering.registry import AwayRegistry

TP = TopicPartition(topics.FENCE, 0)
HOLD = hold_fence("c-1")


@dataclass
class Reader:
    """One partition of the fence topic, read to its end with the first poll."""

    records: list[Record]
    at: dict[TopicPartition, int] = field(default_factory=dict)

    def assign(self, positions: Iterable[Position]) -> None:
        self.at.update({one.tp: 0 for one in positions})

    def unassign(self, partitions: Iterable[TopicPartition]) -> None:
        for tp in tuple(partitions):
            del self.at[tp]

    def positions(self) -> dict[TopicPartition, int]:
        return dict(self.at)

    def poll(self, max_records: int, within_ms: int) -> list[Record]:
        del max_records, within_ms
        found = self.records[self.at[TP] :]
        self.at[TP] = len(self.records)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to let go."""


def a_record(offset: int, key: bytes, value: bytes) -> Record:
    return Record(topic=topics.FENCE, partition=0, offset=offset, key=key, value=value)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Callable[[Codec], FenceTail]:
    """Start a tail over a hold and a heartbeat behind it."""
    ours = Codec(PackagedRegistry())
    records = [
        a_record(0, HOLD.encode(), ours.encode(a_hold())),
        a_record(1, HEARTBEAT_KEY, ours.encode(a_heartbeat())),
    ]

    class Ends:
        """Where the topic ends."""

        def __init__(self, _settings: KafkaSettings) -> None:
            """Needs no cluster."""

        def end_offsets(self, asked: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
            return dict.fromkeys(asked, len(records))

    monkeypatch.setattr(fence_tail, "PartitionReader", lambda _settings: Reader(records))
    monkeypatch.setattr(fence_tail, "Positions", Ends)
    monkeypatch.setattr(fence_tail, "ASK_AGAIN_S", 0.01)
    settings = KafkaSettings(bootstrap_servers="nowhere:1")
    return lambda codec: FenceTail(settings, codec=codec, on_erased=lambda _customer: None)


def test_a_registry_that_is_away_is_waited_for_and_no_fence_is_passed_over(start: Callable[[Codec], FenceTail]) -> None:
    with capture_logs() as told:
        tail = start(Codec(AwayRegistry(questions=3)))
        table = tail.open([0])[0]
        tail.check()
        tail.close()
    assert table.standing([HOLD]) == HOLD
    assert table.heartbeat == a_heartbeat()
    assert [line["event"] for line in told] == ["schema_waiting", "trouble_over"]
