"""A workload as it lies in Kafka: published once, read by every system of an invocation, and what it must lead to."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from schemas import topics
from schemas.codec import packaged_codec
from schemas.topics import Cleanup, Topic, catalogue, changelog_topic
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer
from schemas.transport.records import TopicPartition
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel
from tests.bench.micro import preset_record
from tests.bench.validation import Expected
from tests.bench.workload import TOPIC_OF, TOPICS, Workload, padded


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Published inputs under a prefix; `ends` are the positions of a system that has read them all."""

    prefix: str
    partitions: int
    records: int
    ends: dict[TopicPartition, int]
    expected: Expected


def publish(settings: KafkaSettings, workload: Workload, prefix: str, partitions: int) -> Dataset:
    """Create every topic of the catalogue under a prefix and publish a workload into it; returns once acknowledged."""
    create_catalogue(settings, prefix, partitions)
    expected, codec, rnd = Expected(), packaged_codec(), random.Random(workload.seed)
    producer = EventProducer(settings)
    policy = codec.encode(preset_record())
    for partition in range(partitions):  # only the real core heeds it
        producer.produce(prefix + topics.POLICY, topics.partition_key(partition), policy, partition)
    for fact in workload.facts():
        expected.add(fact)
        producer.produce(prefix + TOPIC_OF[type(fact)], fact.customer_id.encode(), padded(codec, rnd, fact))
    producer.close(120_000)
    tps = [TopicPartition(prefix + topic, partition) for topic in TOPICS for partition in range(partitions)]
    ends = Positions(settings).end_offsets(tps)
    return Dataset(prefix=prefix, partitions=partitions, records=workload.records, ends=ends, expected=expected)


def create_catalogue(settings: KafkaSettings, prefix: str, partitions: int) -> None:
    """Create inputs and outputs as an installation has them, all with `partitions` partitions."""
    system = catalogue(application="unused", channels=(Channel.EMAIL,))
    create(settings, (_plan(topic, prefix, partitions) for topic in system))


def create_run_topics(settings: KafkaSettings, prefix: str, application: str, partitions: int) -> str:
    """Create the changelog of one run and an output topic of its own; returns the latter's name."""
    output = f"{prefix}{application}-{topics.DECISION}"
    changelog = TopicPlan(
        name=prefix + changelog_topic(application),
        partitions=partitions,
        settings={"cleanup.policy": Cleanup.COMPACT.value},
    )
    create(settings, (changelog, TopicPlan(name=output, partitions=partitions)))
    return output


def create(settings: KafkaSettings, plans: Iterable[TopicPlan]) -> None:
    """Create topics that do not exist."""
    TopicAdmin(settings).create(plans)


def delete_all(settings: KafkaSettings, prefix: str) -> None:
    """Delete every topic that carries the prefix anywhere in its name, the peers' own included."""
    admin = TopicAdmin(settings)
    admin.delete([name for name in admin.describe() if prefix in name])


def _plan(topic: Topic, prefix: str, partitions: int) -> TopicPlan:
    stamp = "LogAppendTime" if topic.is_append_time else "CreateTime"
    settings = {"cleanup.policy": topic.cleanup.value, "message.timestamp.type": stamp}
    return TopicPlan(name=prefix + topic.name, partitions=partitions, settings=settings)
