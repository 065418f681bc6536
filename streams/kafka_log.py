"""The log as it really is: `schemas.transport` under an installation's topic prefix."""

from collections.abc import Iterable, Iterator, Mapping

from schemas.topics import changelog_topic
from schemas.transport.consumer import unjoined_group
from schemas.transport.positions import Positions
from schemas.transport.producer import FencedProducer
from schemas.transport.reader import read_rows_to_end
from schemas.transport.records import GroupMetadata, Position, TopicPartition
from schemas.transport.settings import KafkaSettings
from streams.log import Stretch


class KafkaProducer:
    """A fenced producer of one co-partition."""

    def __init__(self, producer: FencedProducer, group: GroupMetadata, prefix: str) -> None:
        self._producer, self._group, self._prefix = producer, group, prefix
        self._names: dict[str, str] = {}
        self.open, self.begin, self.commit, self.abort = producer.open, producer.begin, producer.commit, producer.abort
        self.close = producer.close

    def produce(self, topic: str, key: bytes | None, value: bytes | None, partition: int) -> None:
        """Add a record to the transaction."""
        self._producer.produce(self._prefix + topic, key, value, partition)

    def send_offsets(self, positions: Mapping[TopicPartition, int]) -> None:
        """Add the next input positions to the transaction."""
        offsets = [Position(self._prefix + tp.topic, tp.partition, at) for tp, at in positions.items()]
        self._producer.send_offsets(offsets, self._group)


class KafkaLog:
    """Records on real brokers; topic names are logical on this side."""

    def __init__(self, settings: KafkaSettings, *, application: str, prefix: str) -> None:
        self._settings, self._prefix = settings, prefix
        self._group = prefix + application
        self._positions = Positions(settings)
        self._metadata = unjoined_group(settings, self._group)
        self.changelog = changelog_topic(application)

    def producer(self, partition: int) -> KafkaProducer:
        """Give the producer `<group>-<partition>`, the name that fencing goes by (I2)."""
        return KafkaProducer(FencedProducer(self._settings, f"{self._group}-{partition}"), self._metadata, self._prefix)

    def committed(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        """Tell the group's positions once no transaction is pending on them."""
        found = self._positions.committed(self._group, self._physical(tps))
        return {self._logical(tp): at for tp, at in found.items()}

    def beginning_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Tell the first offsets that still exist."""
        return {self._logical(tp): at for tp, at in self._positions.beginning_offsets(self._physical(tps)).items()}

    def end_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Tell the high watermarks."""
        return {self._logical(tp): at for tp, at in self._positions.end_offsets(self._physical(tps)).items()}

    def read_to_end(self, tp: TopicPartition, from_offset: int) -> Iterator[Stretch]:
        """Read committed rows up to the end as it is now."""
        physical = TopicPartition(self._prefix + tp.topic, tp.partition)
        for piece in read_rows_to_end(self._settings, physical, from_offset):
            yield Stretch(piece.rows, piece.next_offset)

    def _physical(self, tps: Iterable[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(self._prefix + tp.topic, tp.partition) for tp in tps]

    def _logical(self, tp: TopicPartition) -> TopicPartition:
        return TopicPartition(tp.topic[len(self._prefix) :], tp.partition)
