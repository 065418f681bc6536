"""`perennial policy publish`: without a policy nothing is judged; numbers only grow, what is lower changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sources.policies import policy_record, to_every_partition
from connectors.sources.publisher import Publisher
from deploy.demo.system import SystemPlan, VerbFailed
from deploy.hand_stack import preset
from schemas import topics
from tests.e2e.story import PARTITIONS, Story, a_system, contract, customer


@pytest.fixture
def unruled(where: SystemPlan) -> Iterator[Story]:
    """A system in which no policy was ever published."""
    with a_system(where, policy="") as running:
        yield running


def test_nothing_is_judged_before_the_first_policy_and_a_lower_number_is_ignored(unruled: Story) -> None:
    unruled.publish(customer("C-1"), contract("C-1", "K-1", "2026-02-10"))
    clock = unruled.passing_time("2026-02-03T10:00:00Z")
    unruled.await_explained("C-1", "last covered day 2026-02-10")
    assert "What comes next\n  nothing" in unruled.explain("C-1")
    with pytest.raises(VerbFailed, match="cadence"):
        publish_policy(unruled, "name: closing\ncadence: 3\n")
    assert not clock.done()
    assert (unruled.mails(), unruled.records(topics.DECISION, "C-1")) == ([], [])

    assert "policy 1 is published" in publish_policy(unruled, preset())
    clock.result()
    assert unruled.mails() == [("K-1", "t7")]
    unruled.kill_worker()
    assert "policy 2 is published" in publish_policy(unruled, preset())
    with pytest.raises(VerbFailed, match="numbers only grow: give --number 3"):
        publish_policy(unruled, preset(), "--number", "2")
    smuggle(unruled, preset().replace("name: t3, days: 3", "name: t1, days: 1"), number=1)
    unruled.pass_time("2026-02-10T20:00:00Z")
    assert unruled.mails() == [("K-1", "t7"), ("K-1", "t3"), ("K-1", "t0")]
    told = unruled.explain("C-1")
    assert "t7 of contract K-1 by email: sent, because the provider accepted it (policy 1" in told
    assert "t3 of contract K-1 by email: sent, because the provider accepted it (policy 2" in told


def publish_policy(story: Story, content: str, *options: str) -> str:
    """Publish a policy from a file, as a person would."""
    path: Path = story.system.plan.folder / "policy.yaml"
    path.write_text(content, encoding="utf-8")
    return story.system.verb("policy", "publish", str(path), *options)


def smuggle(story: Story, content: str, *, number: int) -> None:
    """Publish a policy past the command's check of its number."""
    record = policy_record(content, number=number, published_at_ms=0, operator="somebody")
    with Publisher(story.system.kafka(), "another-publisher") as publisher:
        publisher.publish(to_every_partition(record, story.system.codec, PARTITIONS))
