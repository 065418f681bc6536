"""Kafka in memory, as far as the engine can tell: transactions, markers, fencing, positions; one process, no time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from schemas.transport.errors import Abortable, BrokerUnavailable, Fenced
from schemas.transport.partitioner import partition_of
from schemas.transport.records import TopicPartition
from streams.log import Stretch


class Fate(Enum):
    """What became of the transaction that a record belongs to."""

    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(slots=True)
class Transaction:
    """A transaction under way or done with."""

    fate: Fate = Fate.OPEN
    touched: set[TopicPartition] = field(default_factory=set)
    positions: dict[TopicPartition, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A record, or a marker where `key` and `value` are None and `is_marker`."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    transaction: Transaction | None = None
    is_marker: bool = False


@dataclass(slots=True)
class MemoryCluster:
    """All partitions of a cluster, its groups' positions, and who owns which transactional id."""

    partitions: int
    at_ms: int = 0
    logs: defaultdict[TopicPartition, list[MemoryRecord]] = field(default_factory=lambda: defaultdict(list))
    first: defaultdict[TopicPartition, int] = field(default_factory=lambda: defaultdict(int))
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    epochs: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    open: dict[str, Transaction] = field(default_factory=dict)

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        transaction: Transaction | None = None,
    ) -> int:
        """Append a record where its key or the caller says, and give its offset."""
        number = partition_of(key or b"", self.partitions) if partition is None else partition
        tp = TopicPartition(topic, number)
        log = self.logs[tp]
        offset = self.end(tp)
        log.append(MemoryRecord(offset, key, value, self.at_ms, transaction))
        if transaction is not None:
            transaction.touched.add(tp)
        return offset

    def end(self, tp: TopicPartition) -> int:
        """Tell the high watermark."""
        log = self.logs[tp]
        return log[-1].offset + 1 if log else self.first[tp]

    def stable_end(self, tp: TopicPartition) -> int:
        """Tell how far a reader of committed records may read."""
        undecided = (
            record.offset
            for record in self.logs[tp]
            if record.transaction is not None and record.transaction.fate is Fate.OPEN
        )
        return next(undecided, self.end(tp))

    def end_transaction(self, transaction: Transaction, fate: Fate) -> None:
        """Decide a transaction: markers take an offset of every partition it touched."""
        transaction.fate = fate
        if fate is Fate.COMMITTED:
            self.positions.update(transaction.positions)
        for tp in sorted(transaction.touched):
            self.logs[tp].append(MemoryRecord(self.end(tp), None, None, self.at_ms, is_marker=True))

    def committed_records(self, tp: TopicPartition, from_offset: int) -> list[MemoryRecord]:
        """Give what a reader of committed records gets."""
        end = self.stable_end(tp)
        return [
            record
            for record in self.logs[tp]
            if from_offset <= record.offset < end
            and not record.is_marker
            and (record.transaction is None or record.transaction.fate is Fate.COMMITTED)
        ]

    def delete_before(self, tp: TopicPartition, offset: int) -> None:
        """Forget the beginning of a log, as retention does."""
        self.first[tp] = offset
        self.logs[tp] = [record for record in self.logs[tp] if record.offset >= offset]


class MemoryProducer:
    """A fenced producer of a cluster in memory; `trouble` holds errors to raise at the next commits."""

    def __init__(self, cluster: MemoryCluster, transactional_id: str) -> None:
        self._cluster, self._id = cluster, transactional_id
        self._epoch = -1
        self._transaction: Transaction | None = None
        self.trouble: list[Exception] = []

    def open(self) -> None:
        """Shut out the predecessor and abort what it left open."""
        left_open = self._cluster.open.pop(self._id, None)
        if left_open is not None:
            self._cluster.end_transaction(left_open, Fate.ABORTED)
        self._cluster.epochs[self._id] += 1
        self._epoch = self._cluster.epochs[self._id]

    def begin(self) -> None:
        """Begin a transaction."""
        self._transaction = Transaction()

    def produce(self, topic: str, key: bytes | None, value: bytes | None, partition: int) -> None:
        """Add a record."""
        self._check()
        self._cluster.open[self._id] = self._current
        self._cluster.append(topic, key, value, partition, self._current)

    def send_offsets(self, positions: Mapping[TopicPartition, int]) -> None:
        """Add positions."""
        self._check()
        self._current.positions.update(positions)

    def commit(self) -> None:
        """Make it visible, or raise the next trouble (before or, for an unknown commit, after it)."""
        self._check()
        trouble = self.trouble.pop(0) if self.trouble else None
        if isinstance(trouble, Abortable | BrokerUnavailable):
            raise trouble
        if self._current.fate is Fate.OPEN:
            self._cluster.open.pop(self._id, None)
            self._cluster.end_transaction(self._current, Fate.COMMITTED)
        if trouble is not None:
            raise trouble

    def abort(self) -> None:
        """Undo."""
        self._check()
        self._cluster.open.pop(self._id, None)
        self._cluster.end_transaction(self._current, Fate.ABORTED)

    def close(self) -> None:
        """Nothing to let go of."""

    @property
    def _current(self) -> Transaction:
        if self._transaction is None:
            raise RuntimeError("no transaction was begun")
        return self._transaction

    def _check(self) -> None:
        if self._cluster.epochs[self._id] != self._epoch:
            raise Fenced(f"{self._id} has a new owner")


class MemoryLog:
    """The engine's log over a cluster in memory."""

    def __init__(self, cluster: MemoryCluster, application: str) -> None:
        self.cluster, self._application = cluster, application
        self.producers: dict[int, MemoryProducer] = {}

    def producer(self, partition: int) -> MemoryProducer:
        """Give the producer of a co-partition."""
        self.producers[partition] = MemoryProducer(self.cluster, f"{self._application}-{partition}")
        return self.producers[partition]

    def committed(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        """Tell positions."""
        return {tp: self.cluster.positions.get(tp) for tp in tps}

    def beginning_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Tell the first offsets."""
        return {tp: self.cluster.first[tp] for tp in tps}

    def end_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Tell the high watermarks."""
        return {tp: self.cluster.end(tp) for tp in tps}

    def read_to_end(self, tp: TopicPartition, from_offset: int) -> Iterator[Stretch]:
        """Read committed rows."""
        end = self.cluster.end(tp)
        records = self.cluster.committed_records(tp, from_offset)
        if end > from_offset:
            yield Stretch([(record.key, record.value) for record in records], end)
