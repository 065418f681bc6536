"""Where logs begin and end and what groups have committed: few calls for many partitions, by the admin protocol."""

from collections.abc import Iterable

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # re-exported without __all__

from schemas.transport.deadline import until
from schemas.transport.errors import error_of
from schemas.transport.records import TopicPartition, from_client, partitions_to_client
from schemas.transport.settings import KafkaSettings

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client leaves these two unannotated
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the same

# after a restart of its broker the admin client asks by the old leader epoch, minutes long; a new client does not
_STALE = {KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH}
_NO_LEADER = KafkaError._NOENT  # noqa: SLF001  also what the client says of topics that do not exist


class Positions:
    """One admin connection that answers questions about offsets; threads may share it."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Make the client."""
        self._config, self._prefix = settings.common(), settings.topic_prefix
        self._admin = AdminClient(self._config)

    def end_offsets(self, partitions: Iterable[TopicPartition], within_ms: int = 30_000) -> dict[TopicPartition, int]:
        """Return high watermarks: the end including transactions still open, so nothing appended lies past it (I6)."""
        return self._list(partitions, _LATEST, within_ms)

    def beginning_offsets(
        self, partitions: Iterable[TopicPartition], within_ms: int = 30_000
    ) -> dict[TopicPartition, int]:
        """Return the first offset each log still holds."""
        return self._list(partitions, _EARLIEST, within_ms)

    def offsets_at(
        self, partitions: Iterable[TopicPartition], at_ms: int, within_ms: int = 30_000
    ) -> dict[TopicPartition, int]:
        """Return the offset of the first record stamped at or after `at_ms`; -1 where there is none."""
        return self._list(partitions, OffsetSpec.for_timestamp(at_ms), within_ms)

    def committed(
        self, group: str, partitions: Iterable[TopicPartition], within_ms: int = 30_000
    ) -> dict[TopicPartition, int | None]:
        """Return a group's committed offsets, None where there is none; waits for transactions that may change them."""
        asked, name = partitions_to_client(partitions, self._prefix), self._prefix + group
        if not asked:
            return {}

        def ask(left_s: float) -> dict[TopicPartition, int | None]:
            request = ConsumerGroupTopicPartitions(name, asked)
            answer = self._admin.list_consumer_group_offsets(
                [request], require_stable=True, request_timeout=_at_least(left_s)
            )
            found = answer[name].result().topic_partitions
            for one in found:
                if one.error is not None:
                    raise KafkaException(one.error)
            return dict(zip(from_client(found, self._prefix), (_or_none(one.offset) for one in found), strict=True))

        return until(within_ms, f"read committed offsets of group {group}", ask)

    def _list(
        self, partitions: Iterable[TopicPartition], spec: OffsetSpec, within_ms: int
    ) -> dict[TopicPartition, int]:
        asked = dict.fromkeys(partitions_to_client(partitions, self._prefix), spec)
        if not asked:
            return {}

        def look(left_s: float) -> dict[TopicPartition, int]:
            answer = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_at_least(left_s)
            )
            offsets = (found.result().offset for found in answer.values())
            return dict(zip(from_client(answer, self._prefix), offsets, strict=True))

        def ask(left_s: float) -> dict[TopicPartition, int]:
            try:
                return look(left_s)
            except KafkaException as raised:
                if error_of(raised).code() == _NO_LEADER:
                    self._refuse_unknown({tp.topic for tp in asked}, left_s)
                if error_of(raised).code() not in _STALE:
                    raise
                self._admin = AdminClient(self._config)
                return look(left_s)

        return until(within_ms, f"list offsets of {len(asked)} partitions", ask)

    def _refuse_unknown(self, names: set[str], left_s: float) -> None:
        """Part a topic that waits for a leader from one that does not exist: only the first is worth waiting for."""
        if missing := names - self._admin.list_topics(timeout=_at_least(left_s)).topics.keys():
            reason = f"there is no topic {', '.join(sorted(missing))}: run `perennial topics apply`"
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, reason))


def _at_least(left_s: float) -> float:
    return max(left_s, 0.1)  # a request needs a positive timeout; the deadline itself is kept by `until`


def _or_none(offset: int) -> int | None:
    return offset if offset >= 0 else None
