"""Topics and brokers as operators see them: create, describe, widen, trim, delete."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without __all__
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from schemas.transport.deadline import Deadline, until
from schemas.transport.errors import BrokerUnavailable, error_of, translated
from schemas.transport.records import Position, to_client
from schemas.transport.settings import KafkaSettings

_WITHIN_MS = 30_000
_AS_THE_BROKER_SAYS = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPlan:
    """A topic as it shall be; `replication` -1 leaves the number of copies to the broker."""

    name: str
    partitions: int
    replication: int = _AS_THE_BROKER_SAYS
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFound:
    """A topic as it is, with every setting in force."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]


class TopicAdmin:
    """One admin connection for what changes topics; each call returns when the brokers have done it."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Make the client."""
        self._admin, self._prefix = AdminClient(settings.common()), settings.topic_prefix

    def create(self, plans: Iterable[TopicPlan]) -> frozenset[str]:
        """Create what is missing and return its names; what exists is left as it is."""
        asked = {self._prefix + one.name: one for one in plans}
        new = [
            NewTopic(name, one.partitions, one.replication, config=dict(one.settings)) for name, one in asked.items()
        ]
        if not new:
            return frozenset()
        created = frozenset(
            name for name, done in self._admin.create_topics(new).items() if _was_done(done, f"create {name}")
        )
        self._await_leaders({name: asked[name].partitions for name in created})
        return frozenset(asked[name].name for name in created)

    def describe(self, names: Iterable[str] | None = None) -> dict[str, TopicFound]:
        """Return the topics that exist among `names`, or all; a missing one is missing from the answer."""
        wanted = None if names is None else {self._prefix + name for name in names}
        found = {
            name: topic
            for name, topic in self._topics().items()
            if topic.error is None and (name.startswith(self._prefix) if wanted is None else name in wanted)
        }
        settings = self._settings(ResourceType.TOPIC, found)
        return {
            name[len(self._prefix) :]: TopicFound(
                name=name[len(self._prefix) :],
                partitions=len(topic.partitions),
                replication=min((len(one.replicas) for one in topic.partitions.values()), default=0),
                settings=settings[name],
            )
            for name, topic in found.items()
        }

    def add_partitions(self, name: str, total: int) -> None:
        """Widen a topic to `total` partitions; keys move, so co-partitioned inputs are never widened."""
        self._all(self._admin.create_partitions([NewPartitions(self._prefix + name, total)]), f"widen {name}")
        self._await_leaders({self._prefix + name: total})

    def change_settings(self, name: str, settings: Mapping[str, str]) -> None:
        """Set these settings of a topic and leave its others."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in settings.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, self._prefix + name, incremental_configs=entries)
        self._all(self._admin.incremental_alter_configs([resource]), f"change settings of {name}")

    def broker_settings(self) -> dict[int, dict[str, str]]:
        """Return the settings in force of every broker, by its number."""
        brokers = self._metadata().brokers
        settings = self._settings(ResourceType.BROKER, [str(number) for number in brokers])
        return {int(number): found for number, found in settings.items()}

    def delete_records(self, positions: Iterable[Position]) -> None:
        """Forget everything before each position."""
        self._all(self._admin.delete_records(to_client(positions, self._prefix)), "delete records")

    def delete(self, names: Iterable[str]) -> None:
        """Delete topics, whether they exist or not."""
        gone = [self._prefix + name for name in names]
        for name, done in (self._admin.delete_topics(gone) if gone else {}).items():
            _was_done(done, f"delete {name}")

    def _await_leaders(self, partitions: Mapping[str, int]) -> None:
        deadline = Deadline(_WITHIN_MS)
        while partitions and not self._are_led(partitions):
            if deadline.has_passed():
                raise BrokerUnavailable(f"created, but without leaders for {_WITHIN_MS} ms: {sorted(partitions)}")
            deadline.pause()

    def _are_led(self, partitions: Mapping[str, int]) -> bool:
        topics = self._topics()
        return all(
            name in topics and sum(one.leader >= 0 for one in topics[name].partitions.values()) >= count
            for name, count in partitions.items()
        )

    def _topics(self) -> Mapping[str, TopicMetadata]:
        return dict(self._metadata().topics)

    def _metadata(self) -> ClusterMetadata:
        return until(_WITHIN_MS, "list topics", lambda left_s: self._admin.list_topics(timeout=max(left_s, 1.0)))

    def _settings(self, kind: ResourceType, names: Iterable[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(kind, name) for name in names]
        if not resources:
            return {}
        answers = self._admin.describe_configs(resources)
        return {
            resource.name: {key: entry.value or "" for key, entry in done.result().items()}
            for resource, done in answers.items()
        }

    def _all(self, answers: Mapping[Any, "Future[Any]"], doing: str) -> None:
        for done in answers.values():
            _result(done, doing)


_NOTHING_TO_DO = {KafkaError.TOPIC_ALREADY_EXISTS, KafkaError.UNKNOWN_TOPIC_OR_PART}


def _was_done(done: "Future[Any]", doing: str) -> bool:
    """Tell whether the change was made; false when the world is already as it should be."""
    try:
        done.result()
    except KafkaException as raised:
        if error_of(raised).code() in _NOTHING_TO_DO:
            return False
        raise translated(error_of(raised), doing) from raised
    return True


def _result(done: "Future[Any]", doing: str) -> None:
    try:
        done.result()
    except KafkaException as raised:
        raise translated(error_of(raised), doing) from raised
