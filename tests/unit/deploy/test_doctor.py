"""The doctor: every finding that is not good says what to do, and each promise of ours has its finding."""

import pytest

from deploy.doctor import (
    Finding,
    Health,
    broker_findings,
    data_findings,
    failpoint_finding,
    partitioner_findings,
    topic_findings,
)
from deploy.topics import Difference, Remedy

SOUND = {
    "transaction.max.timeout.ms": "60000",
    "offsets.retention.minutes": "10080",
    "auto.create.topics.enable": "false",
}


def bad_of(findings: list[Finding]) -> list[str]:
    return [one.what for one in findings if one.health is not Health.GOOD]


def test_a_sound_broker_has_nothing_to_do() -> None:
    assert bad_of(list(broker_findings({0: SOUND}))) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("transaction.max.timeout.ms", "900000"),  # Kafka's default: a hung upstream could hold time for 15 minutes
        ("offsets.retention.minutes", "60"),
        ("auto.create.topics.enable", "true"),
    ],
)
def test_a_setting_that_breaks_a_promise_is_found_and_says_what_to_do(setting: str, value: str) -> None:
    findings = list(broker_findings({7: {**SOUND, setting: value}}))
    assert bad_of(findings) == [f"broker 7: {setting}"]
    assert all(one.advice for one in findings if one.health is not Health.GOOD)


def test_a_topic_that_differs_is_a_finding() -> None:
    difference = Difference(
        topic="renewal.tick.v1", what="partitions", expected="12", found="3", remedy=Remedy.BY_HAND, advice="..."
    )
    assert bad_of(list(topic_findings([difference]))) == ["renewal.tick.v1: partitions"]
    assert bad_of(list(topic_findings([]))) == []


def test_a_producer_with_another_partitioner_is_found() -> None:
    (finding,) = partitioner_findings({"renewal.payment.v1": 3})
    assert finding.health is Health.WARNING
    assert "murmur2" in finding.advice


def test_an_armed_failpoint_is_bad_news() -> None:
    assert failpoint_finding(("engine.before_commit",)).health is Health.BAD
    assert failpoint_finding(()).health is Health.GOOD


def test_the_version_of_the_zone_data_is_told() -> None:
    (finding,) = data_findings()
    assert finding.found.startswith("tzdata 20")
