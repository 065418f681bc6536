"""What `perennial topics` keeps to, on a cluster in memory and on a real one."""

from dataclasses import replace

from deploy.topics import Remedy, Topics, apply, plan, settings_of
from schemas.topics import DAY_MS, Cleanup, Topic, catalogue
from schemas.transport.admin import TopicPlan
from schemas.vocabulary import Channel


class TopicsSuite:
    """Inherit and give `cluster` and `names`: a cluster, and a prefix that no other test uses."""

    def topics(self, prefix: str) -> tuple[Topic, ...]:
        listed = catalogue(application="renewals", channels=(Channel.EMAIL,))
        return tuple(replace(topic, name=f"{prefix}.{topic.name}") for topic in listed)

    def test_an_empty_cluster_gets_every_topic_and_then_differs_in_nothing(self, cluster: Topics, prefix: str) -> None:
        wanted = self.topics(prefix)
        before = plan(cluster, wanted, partitions=2)
        assert {(difference.topic, difference.remedy) for difference in before} == {
            (topic.name, Remedy.CREATE) for topic in wanted
        }
        assert apply(cluster, wanted, partitions=2) == ()
        assert apply(cluster, wanted, partitions=2) == ()
        assert plan(cluster, wanted, partitions=2) == ()

    def test_settings_that_lose_nothing_are_changed(self, cluster: Topics, prefix: str) -> None:
        topic = one_topic(prefix, retention_ms=2 * DAY_MS, max_message_bytes=2_000_000)
        settings = {"retention.ms": str(DAY_MS), "max.message.bytes": "1000", "message.timestamp.type": "CreateTime"}
        cluster.create([TopicPlan(name=topic.name, partitions=1, settings=settings)])
        before = plan(cluster, [topic], partitions=1)
        assert {difference.what for difference in before if difference.remedy is Remedy.CHANGE} == set(settings)
        assert apply(cluster, [topic], partitions=1) == ()

    def test_what_would_make_kafka_forget_is_left_to_a_person(self, cluster: Topics, prefix: str) -> None:
        topic = one_topic(prefix, cleanup=Cleanup.COMPACT, retention_ms=DAY_MS)
        settings = {"retention.ms": "-1", "cleanup.policy": "delete"}
        cluster.create([TopicPlan(name=topic.name, partitions=1, settings=settings)])
        left = apply(cluster, [topic], partitions=1)
        assert {(difference.what, difference.remedy) for difference in left} == {
            ("retention.ms", Remedy.BY_HAND),
            ("cleanup.policy", Remedy.BY_HAND),
        }
        assert dict(cluster.describe([topic.name])[topic.name].settings).items() >= settings.items()

    def test_a_topic_that_takes_larger_records_than_it_must_is_left_so(self, cluster: Topics, prefix: str) -> None:
        topic = one_topic(prefix, max_message_bytes=1_000)
        settings = settings_of(topic) | {"max.message.bytes": "2000"}
        cluster.create([TopicPlan(name=topic.name, partitions=1, settings=settings)])
        assert plan(cluster, [topic], partitions=1) == ()

    def test_another_number_of_partitions_is_reported_and_never_changed(self, cluster: Topics, prefix: str) -> None:
        topic = one_topic(prefix)
        assert apply(cluster, [topic], partitions=1) == ()
        [left] = apply(cluster, [topic], partitions=3)
        assert (left.what, left.expected, left.found, left.remedy) == ("partitions", "3", "1", Remedy.BY_HAND)
        assert cluster.describe([topic.name])[topic.name].partitions == 1

    def test_topics_of_others_are_left_alone(self, cluster: Topics, prefix: str) -> None:
        stranger = TopicPlan(name=f"{prefix}.stranger", partitions=1)
        cluster.create([stranger])
        assert apply(cluster, [one_topic(prefix)], partitions=1) == ()
        assert stranger.name in cluster.describe([stranger.name])


def one_topic(prefix: str, **changes: object) -> Topic:
    """A plain topic of the catalogue's kind."""
    plain = Topic(name=f"{prefix}.one", key="x", records=(), writers=(), readers=(), purpose="is tried")
    return replace(plain, **changes)  # type: ignore[arg-type]  # the fields are checked by what they do
