"""What a run left in Kafka, read committed: decisions in order, last states, dead letters; and the verdict on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from processors.state import decode_state
from schemas.changelog import STATE_PREFIX
from schemas.topics import DEAD_LETTER, DECISION
from schemas.transport.admin import TopicAdmin
from schemas.transport.positions import Positions
from schemas.transport.reader import read_many_to_end
from schemas.transport.records import Record, TopicPartition
from schemas.transport.settings import KafkaSettings
from tests.bench.contender import Orders
from tests.bench.validation import Expected, failed_checks, failed_checks_of_real_step
from tests.bench.work import decode_figures, numbered

WITHIN_MS = 60_000
CustomerOf = Callable[[bytes], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The topics of one run, and where its own part of them begins: runs of ours share all but the changelog."""

    settings: KafkaSettings
    orders: Orders
    started_at: dict[TopicPartition, int]

    @classmethod
    def before(cls, settings: KafkaSettings, orders: Orders) -> "Evidence":
        """Note, before a run, where everything that it may write to ends."""
        names = {orders.output, orders.prefix + DECISION, orders.prefix + DEAD_LETTER}
        started_at = Positions(settings).end_offsets(_partitions(names, orders.partitions))
        return cls(settings=settings, orders=orders, started_at=started_at)

    def decisions(self, topic: str) -> Iterator[tuple[str, int]]:
        """Give (customer, number) of every committed decision, each partition in order."""
        for record in self._since_start(topic):
            yield numbered(record.value or b"")

    def dead_letters(self) -> int:
        """Count the records that were refused."""
        return sum(1 for _ in self._since_start(self.orders.prefix + DEAD_LETTER))

    def rows(self, changelog: str, customer_of: CustomerOf) -> dict[str, bytes]:
        """Give every customer's last changelog row; keys for which `customer_of` gives None are no states."""
        start = Positions(self.settings).beginning_offsets(_partitions({changelog}, self.orders.partitions))
        rows: dict[str, bytes] = {}
        for record in self._read(start):
            customer = customer_of(record.key or b"")
            if customer is not None:
                rows[customer] = record.value or b""
        return rows

    def _since_start(self, topic: str) -> Iterator[Record]:
        return self._read({tp: offset for tp, offset in self.started_at.items() if tp.topic == topic})

    def _read(self, start: dict[TopicPartition, int]) -> Iterator[Record]:
        for records in read_many_to_end(self.settings, start, within_ms=WITHIN_MS):
            yield from records


def judge_ours(evidence: Evidence, expected: Expected) -> tuple[str, ...]:
    """Judge the counting work of our engine."""
    rows = evidence.rows(evidence.orders.changelog, _of_our_row)
    states = {customer: decode_figures(row) for customer, row in rows.items()}
    return failed_checks(expected, evidence.decisions(evidence.orders.prefix + DECISION), states)


def judge_real_step(evidence: Evidence, expected: Expected) -> tuple[str, ...]:
    """Judge the real core in our engine: it speaks by rules, so its states are what is compared."""
    rows = evidence.rows(evidence.orders.changelog, _of_our_row)
    states = {customer: decode_state(row) for customer, row in rows.items()}
    return failed_checks_of_real_step(expected, states, evidence.dead_letters())


def judge_peer(evidence: Evidence, expected: Expected) -> tuple[str, ...]:
    """Judge a peer whose changelog is named and keyed as Faust does."""
    return _judge_peer(evidence, expected, evidence.orders.changelog, bytes.decode)


def judge_quix(evidence: Evidence, expected: Expected) -> tuple[str, ...]:
    """Judge Quix, which names its changelog itself and keys it by record key and state key."""
    beginning = f"changelog__{evidence.orders.group}--"
    named = [name for name in TopicAdmin(evidence.settings).describe() if name.startswith(beginning)]
    if len(named) != 1:
        return (f"{len(named)} changelogs instead of 1",)
    return _judge_peer(evidence, expected, named[0], _of_quix_row)


def _judge_peer(evidence: Evidence, expected: Expected, changelog: str, customer_of: CustomerOf) -> tuple[str, ...]:
    states = {customer: decode_figures(row) for customer, row in evidence.rows(changelog, customer_of).items()}
    return failed_checks(expected, evidence.decisions(evidence.orders.output), states)


def _of_our_row(key: bytes) -> str | None:
    return key.removeprefix(STATE_PREFIX).decode() if key.startswith(STATE_PREFIX) else None


def _of_quix_row(key: bytes) -> str:
    return key.partition(b"|")[0].decode()


def _partitions(names: set[str], partitions: int) -> list[TopicPartition]:
    return [TopicPartition(name, partition) for name in sorted(names) for partition in range(partitions)]
