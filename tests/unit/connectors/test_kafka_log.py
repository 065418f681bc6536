"""What a channel reads when a partition becomes its own, and in which order."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from connectors.delivery import kafka_log
from connectors.delivery.kafka_log import KafkaLog, LogNames
from connectors.fences import FenceTable
from connectors.metrics import DeliveryMetrics
from connectors.orders import Cycle
from connectors.ports import Opening
from schemas import topics
from schemas.codec import Codec, packaged_codec
from schemas.transport.records import Position, Record, TopicPartition
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel
from tests.builders import a_ledger_row
from tests.delivering.registry import AwayRegistry

COMMANDS = TopicPartition(topics.command_topic(Channel.EMAIL), 0)
ROW = a_ledger_row()


@dataclass
class Cluster:
    """Answers what is asked, and notes in which order."""

    asked: list[str] = field(default_factory=list)

    def committed(self, group: str, given: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        del group
        self.asked.append("positions")
        return dict.fromkeys(given, 7)

    def read_many_to_end(
        self, _settings: KafkaSettings, starts: Mapping[TopicPartition, int]
    ) -> Iterator[list[Record]]:
        self.asked.append("ledger")
        row = packaged_codec().encode(ROW)
        yield [Record(topic=tp.topic, partition=0, offset=0, key=ROW.touch_key.encode(), value=row) for tp in starts]

    def open(self, partitions: list[int]) -> dict[int, FenceTable]:
        self.asked.append("fences")
        return {number: FenceTable() for number in partitions}


@dataclass
class Owner:
    """Keeps what was opened."""

    openings: list[Opening] = field(default_factory=list)

    def opened(self, opening: Opening) -> None:
        self.openings.append(opening)

    def closing(self, partitions: Iterable[int]) -> Cycle:
        del partitions
        return Cycle()

    def lost(self, partitions: Iterable[int]) -> None:
        """Nothing of ours is under way."""


class Producer:
    """Never asked in these tests."""

    def __init__(self, _settings: KafkaSettings, _name: str) -> None:
        """Needs no cluster."""


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def assign(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> Callable[[Codec], tuple[list[Position], Owner]]:
    """Give a new log its partition."""
    monkeypatch.setattr(kafka_log, "Positions", lambda _settings: cluster)
    monkeypatch.setattr(kafka_log, "FencedProducer", Producer)
    monkeypatch.setattr(kafka_log, "read_many_to_end", cluster.read_many_to_end)
    monkeypatch.setattr(kafka_log, "ASK_AGAIN_S", 0.01)

    def given(codec: Codec) -> tuple[list[Position], Owner]:
        log, owner = (
            KafkaLog(
                KafkaSettings(bootstrap_servers="nowhere:1"),
                names=LogNames(channel=Channel.EMAIL, group="g", transactional_id="t"),
                codec=codec,
                fences=cluster,  # type: ignore[arg-type]  # as much of a tail as opening uses
                metrics=DeliveryMetrics(Channel.EMAIL),
            ),
            Owner(),
        )
        log._partitions = owner  # noqa: SLF001  `open` would join a group
        return log._assigned((COMMANDS,)), owner  # noqa: SLF001

    return given


def test_positions_are_read_before_ledger_and_fences(
    cluster: Cluster, assign: Callable[[Codec], tuple[list[Position], Owner]]
) -> None:
    starts, owner = assign(packaged_codec())
    assert cluster.asked == ["positions", "ledger", "fences"]  # the first waits for what may still change the others
    assert starts == [Position(*COMMANDS, 7)]
    assert [(one.partition, one.position, len(one.ledger)) for one in owner.openings] == [(0, 7, 1)]


def test_a_ledger_is_not_passed_over_while_the_registry_is_away(
    assign: Callable[[Codec], tuple[list[Position], Owner]],
) -> None:
    registry = AwayRegistry(questions=3)
    _, owner = assign(Codec(registry))
    assert registry.questions == 0
    assert [len(one.ledger) for one in owner.openings] == [1]
