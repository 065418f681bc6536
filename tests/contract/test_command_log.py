"""One suite for every command log: the one on Kafka and its twin in memory."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.delivery.fence_tail import FenceTail
from connectors.delivery.kafka_log import KafkaLog, LogNames
from connectors.delivery.records import intent_row, receipt, result_row
from connectors.ledger import Standing
from connectors.memory import MemoryLog, MemoryTopics
from connectors.metrics import DeliveryMetrics
from connectors.orders import Cycle, Order, Report
from connectors.ports import CommandLog, Opening
from schemas.events import ReceiptGiven
from schemas.outputs import SendTouch
from schemas.transport.partitioner import partition_of
from schemas.vocabulary import Channel, Outcome
from tests.builders import NOW_MS
from tests.delivering.in_memory import command_for
from tests.delivering.stage import PARTITIONS, Stage, until

WITHIN_S = 30
ACCEPTED = Report(outcome=Outcome.ACCEPTED)


@dataclass
class Owner:
    """Notes which partitions came, and has nothing under way when they go."""

    openings: dict[int, Opening] = field(default_factory=dict)

    def opened(self, opening: Opening) -> None:
        self.openings[opening.partition] = opening

    def closing(self, partitions: Iterable[int]) -> Cycle:
        for number in partitions:
            self.openings.pop(number, None)
        return Cycle()

    def lost(self, partitions: Iterable[int]) -> None:
        self.closing(partitions)


@dataclass
class Bench:
    """A place where commands lie and logs are opened upon."""

    append: Callable[[SendTouch], None]
    new_log: Callable[[], CommandLog]
    receipts: Callable[[], list[ReceiptGiven]]

    def opened(self) -> tuple[CommandLog, Owner]:
        log, owner = self.new_log(), Owner()
        log.open(owner)
        return log, owner

    def fetch(self, log: CommandLog, count: int) -> list[Order]:
        orders: list[Order] = []

        def fetched() -> bool:
            orders.extend(log.poll(100))
            return len(orders) >= count

        until(fetched, WITHIN_S, f"{count} orders")
        return orders


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
def bench(request: pytest.FixtureRequest, prefix: str, tmp_path: Path) -> Iterator[Bench]:
    """A fresh place of either kind."""
    if request.param == "memory":
        topics = MemoryTopics(partitions=PARTITIONS)

        def append(command: SendTouch) -> None:
            topics.commands[partition_of(command.customer_id.encode(), PARTITIONS)].append(command)

        yield Bench(append, lambda: MemoryLog(topics), lambda: topics.receipts)
        return
    stage = Stage(bootstrap=request.getfixturevalue("bootstrap"), redis_url="-", prefix=f"{prefix}.", folder=tmp_path)
    yield Bench(stage.append, lambda: _kafka_log(stage), stage.receipts)
    stage.close()


def _kafka_log(stage: Stage) -> KafkaLog:
    names = LogNames(channel=Channel.EMAIL, group="channel", transactional_id=f"channel-{uuid.uuid4().hex}")
    fences = FenceTail(stage.kafka, codec=stage.codec, on_erased=lambda _customer: None)
    metrics = DeliveryMetrics(Channel.EMAIL)
    return KafkaLog(stage.kafka, names=names, codec=stage.codec, fences=fences, metrics=metrics)


def finished(order: Order) -> Cycle:
    """The cycle that ends an order."""
    row = result_row(order, ACCEPTED, owner="test", intent_at_ms=NOW_MS, now_ms=NOW_MS)
    told = receipt(order, ACCEPTED, owner="test", now_ms=NOW_MS)
    return Cycle(
        results=[(order.partition, row)],
        receipts=[(order.partition, told)],
        positions={order.partition: order.offset + 1},
    )


def test_commands_come_with_their_partitions(bench: Bench) -> None:
    commands = [command_for(f"c{number}") for number in range(10)]
    for command in commands:
        bench.append(command)
    log, owner = bench.opened()
    orders = bench.fetch(log, len(commands))
    assert {order.command.touch_key for order in orders} == {command.touch_key for command in commands}
    assert set(owner.openings) == set(range(PARTITIONS))
    for number in range(PARTITIONS):
        offsets = [order.offset for order in orders if order.partition == number]
        assert offsets == sorted(offsets)
    log.close()


def test_a_successor_goes_on_behind_what_was_finished_and_finds_what_is_in_doubt(bench: Bench) -> None:
    bench.append(command_for("c1", step="t30"))
    bench.append(command_for("c1", step="t7"))
    log, _ = bench.opened()
    first, second = bench.fetch(log, 2)
    cycle = finished(first)
    cycle.intents.append((second.partition, intent_row(second, owner="test", now_ms=NOW_MS)))
    log.commit(cycle)
    log.close()
    assert [one.touch_key for one in bench.receipts()] == [first.command.touch_key]

    successor, owner = bench.opened()
    (again,) = bench.fetch(successor, 1)
    assert again.command == second.command
    opening = owner.openings[again.partition]
    assert opening.position == second.offset
    assert opening.ledger.standing(first.command) is Standing.TOLD
    assert opening.ledger.standing(second.command) is Standing.IN_DOUBT
    assert opening.ledger.intent_at_ms(second.command.touch_key) == NOW_MS
    successor.close()


def test_a_forgotten_touch_is_new_to_the_next_owner(bench: Bench) -> None:
    bench.append(command_for("c1"))
    log, _ = bench.opened()
    (order,) = bench.fetch(log, 1)
    log.commit(finished(order))
    log.commit(Cycle(forgotten=[(order.partition, order.command.touch_key)], positions={order.partition: 1}))
    log.close()
    successor, owner = bench.opened()
    until(lambda: successor.poll(100) == [] and len(owner.openings) == PARTITIONS, WITHIN_S, "the partitions")
    assert owner.openings[order.partition].ledger.standing(order.command) is Standing.NEW
    successor.close()


def test_a_paused_partition_brings_nothing_until_it_is_resumed(bench: Bench) -> None:
    log, owner = bench.opened()
    until(lambda: log.poll(100) == [] and len(owner.openings) == PARTITIONS, WITHIN_S, "the partitions")
    log.pause(range(PARTITIONS))
    bench.append(command_for("c1"))
    assert [log.poll(100) for _ in range(5)] == [[]] * 5
    log.resume(range(PARTITIONS))
    assert len(bench.fetch(log, 1)) == 1
    log.close()
