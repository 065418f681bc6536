"""Makes the topics of the cluster those of the catalogue: says what differs, mends what loses nothing, never deletes.

A setting that would make Kafka forget records (a shorter retention, another cleanup policy) is only ever reported: it
is changed by a person who means it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from schemas.topics import Cleanup, Topic
from schemas.transport.admin import TopicFound, TopicPlan

_FOR_EVER = "-1"
_TIMESTAMPS = "message.timestamp.type"
_CLEANUP = "cleanup.policy"
_LARGEST = "max.message.bytes"
_GROWING = frozenset({"retention.ms", "delete.retention.ms", _LARGEST})  # more of it loses nothing


class Topics(Protocol):
    """What we ask of a cluster; `schemas.transport.admin.TopicAdmin` is the real one."""

    def create(self, plans: Iterable[TopicPlan]) -> frozenset[str]:
        """Create what is missing."""

    def describe(self, names: Iterable[str] | None = None) -> dict[str, TopicFound]:
        """Give the topics that exist, with every setting in force."""

    def change_settings(self, name: str, settings: Mapping[str, str]) -> None:
        """Set these settings of a topic and leave its others."""


class Remedy(StrEnum):
    """How a difference goes away."""

    CREATE = "create"
    CHANGE = "change"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which a topic is not as the catalogue wants it; `advice` is for a person."""

    topic: str
    what: str
    expected: str
    found: str
    remedy: Remedy
    advice: str


def plan(admin: Topics, catalogue: Iterable[Topic], *, partitions: int) -> tuple[Difference, ...]:
    """List how the cluster differs from the catalogue; empty when every topic is as it must be."""
    wanted = tuple(catalogue)
    found = admin.describe([topic.name for topic in wanted])
    return tuple(
        difference
        for topic in wanted
        for difference in _differences(topic, found.get(topic.name), partitions=partitions)
    )


def apply(admin: Topics, catalogue: Iterable[Topic], *, partitions: int) -> tuple[Difference, ...]:
    """Create what is missing and change what loses nothing; gives what remains to be done by hand."""
    wanted = {topic.name: topic for topic in catalogue}
    before = plan(admin, wanted.values(), partitions=partitions)
    missing = [wanted[difference.topic] for difference in before if difference.remedy is Remedy.CREATE]
    if missing:
        admin.create(
            TopicPlan(name=topic.name, partitions=partitions, settings=settings_of(topic)) for topic in missing
        )
    for name in wanted:
        settings = {d.what: d.expected for d in before if d.topic == name and d.remedy is Remedy.CHANGE}
        if settings:
            admin.change_settings(name, settings)
    return plan(admin, wanted.values(), partitions=partitions)


def settings_of(topic: Topic) -> dict[str, str]:
    """Give the settings that a topic of the catalogue has in Kafka."""
    settings = {
        _CLEANUP: topic.cleanup.value,
        "retention.ms": str(topic.retention_ms),
        _TIMESTAMPS: "LogAppendTime" if topic.is_append_time else "CreateTime",
        _LARGEST: str(topic.max_message_bytes),
    }
    if topic.cleanup is Cleanup.COMPACT:
        settings["delete.retention.ms"] = str(topic.delete_retention_ms)
    return settings


def _differences(topic: Topic, found: TopicFound | None, *, partitions: int) -> Iterator[Difference]:
    if found is None:
        yield Difference(
            topic=topic.name,
            what="topic",
            expected=f"{partitions} partitions",
            found="missing",
            remedy=Remedy.CREATE,
            advice="run `perennial topics apply`",
        )
        return
    if found.partitions != partitions:
        yield Difference(
            topic=topic.name,
            what="partitions",
            expected=str(partitions),
            found=str(found.partitions),
            remedy=Remedy.BY_HAND,
            advice="customers would change their partition, so no topic is ever widened: run with the number of "
            "partitions that it has (PERENNIAL_PARTITIONS), or begin under another PERENNIAL_TOPIC_PREFIX",
        )
    for name, expected in settings_of(topic).items():
        actual = found.settings.get(name, "not set")
        if actual != expected and not (name == _LARGEST and _grows(expected=actual, found=expected)):
            yield _setting(topic.name, name, expected=expected, found=actual)


def _setting(topic: str, name: str, *, expected: str, found: str) -> Difference:
    is_safe = name == _TIMESTAMPS or (name in _GROWING and _grows(expected=expected, found=found))
    return Difference(
        topic=topic,
        what=name,
        expected=expected,
        found=found,
        remedy=Remedy.CHANGE if is_safe else Remedy.BY_HAND,
        advice="run `perennial topics apply`"
        if is_safe
        else f"Kafka may forget or refuse records if {name} changes: set it with kafka-configs.sh if you mean it",
    )


def _grows(*, expected: str, found: str) -> bool:
    if _FOR_EVER in {expected, found}:
        return expected == _FOR_EVER
    return found.isdigit() and int(found) < int(expected)
