"""Policies: what may be published, how a mistake is told, and what a partition keeps of them."""

from datetime import date

import pytest
import yaml

from processors.policies import Policies, decode_policies, encode_policies
from processors.policy import MOST_DAYS_BEFORE, MOST_DAYS_OPEN, parse_policy, read_policy
from processors.windows import place_windows
from schemas.errors import InvalidRecord
from schemas.events import PolicyPublished
from schemas.vocabulary import Channel
from tests.builders import a_policy
from tests.unit.processors.story import CLOSING, POLICIES, policies_of


def test_the_preset_holds_the_defaults_of_the_domain() -> None:
    policy = read_policy(CLOSING)
    assert [(step.name, step.days) for step in policy.cadence] == [
        ("t90", 90), ("t30", 30), ("t7", 7), ("t3", 3), ("t0", 0),
    ]  # fmt: skip
    assert (policy.send_hours.opens_minute, policy.send_hours.closes_minute) == (540, 1080)
    assert policy.send_hours.working_days == (1, 2, 3, 4, 5)
    assert (policy.caps.per_local_day, policy.caps.per_period, policy.caps.exempt_steps) == (1, 3, ("t0",))
    assert policy.delivery.retry_after_ms == (300_000, 1_800_000, 7_200_000)
    assert policy.delivery.send_within_ms == 4 * 3_600_000


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("per_local_day: 1", "per_local_day: one", "$.caps.per_local_day"),
        ("per_local_day: 1", "per_locl_day: 1", "per_locl_day"),
        ("default_zone: Asia/Shanghai", "default_zone: Asia/Peking", "$.default_zone"),
        ('opens: "09:00"', 'opens: "25:00"', "$.send_hours.opens"),
        ('opens: "09:00"', 'opens: "19:00"', "$.send_hours"),
        ('closes: "18:00"', "closes: 18:00", "put times in quotes"),
        ("working_days: [1, 2, 3, 4, 5]", "working_days: [0]", "$.send_hours.working_days"),
        ("name: t30, days: 30", "name: t30, days: 95", "$.cadence"),
        ("name: t30", "name: t90", "$.cadence"),
        ("days: 90, channel: email", "days: 90, channel: fax", "$.cadence[0].channel"),
        ("exempt_steps: [t0]", "exempt_steps: [t1]", "$.caps.exempt_steps"),
        ("from_days: 1,", "from_days: 5,", "$.windows"),
        ("call_timeout_ms: 60000", "call_timeout_ms: 0", "$.delivery"),
        ("call_timeout_ms: 60000", "call_timeout_ms: 604800001", "$.delivery"),
        ("retry_after_ms: [300000", f"retry_after_ms: [{10**26}", "$.delivery"),
        ("period_ms: 604800000", f"period_ms: {10**26}", "$.caps.period_ms"),
        ("days: 90", "days: 4000000", "$.cadence[0].days"),
        ("lasts_days: 7", "lasts_days: 999999999", "$.windows"),
        ("per_local_day: 1", "per_local_day: 1\n  per_local_day: 9", "twice"),
        ("name: closing", "name: closing\nsend_hours: {}", "twice"),
        ("name: closing", "name: &a closing\nother: *a", "anchors"),
        ("name: closing", "name: [", "not YAML"),
    ],
)  # fmt: skip
def test_f25_a_mistake_is_told_with_the_path_of_its_field(before: str, after: str, complaint: str) -> None:
    assert before in CLOSING
    with pytest.raises(InvalidRecord) as told:
        read_policy(CLOSING.replace(before, after, 1))
    assert complaint in str(told.value)


@pytest.mark.parametrize("document", [None, [], "closing", {}, {"name": 3}])
def test_what_is_no_policy_at_all_is_refused(document: object) -> None:
    with pytest.raises(InvalidRecord):
        parse_policy(document)


def test_a_policy_is_read_from_plain_values() -> None:
    assert parse_policy(yaml.safe_load(CLOSING)).name == "closing"


def test_i8_a_number_that_does_not_grow_changes_nothing() -> None:
    newer = policies_of(CLOSING, number=5)
    assert newer.published(a_policy(number=5, content="broken")) is newer
    assert newer.published(a_policy(number=4, content="broken")) is newer


@pytest.mark.parametrize("record", [a_policy(number=9, content="{}"), a_policy(number=9, content=CLOSING)])
def test_an_invalid_policy_or_a_wrong_hash_is_refused(record: PolicyPublished) -> None:
    with pytest.raises(InvalidRecord):
        POLICIES.published(record)


def test_a_stop_of_one_scope_is_lifted_by_the_start_of_that_scope() -> None:
    stopped = POLICIES.stopped(Channel.UNSPECIFIED).stopped(Channel.EMAIL)
    assert stopped.started(Channel.EMAIL).is_stopped(Channel.SMS)
    everything = stopped.started(Channel.EMAIL).started(Channel.UNSPECIFIED)
    assert not everything.is_stopped(Channel.EMAIL)


def test_what_the_meta_row_keeps_comes_back() -> None:
    kept = decode_policies(encode_policies(policies_of(CLOSING, number=3).stopped(Channel.EMAIL)))
    assert (kept.number, kept.stops) == (3, frozenset({Channel.EMAIL}))
    assert kept.current is not None
    assert kept.current.name == "closing"
    assert decode_policies(b"") == Policies()
    assert decode_policies(encode_policies(Policies())) == Policies()


@pytest.mark.parametrize("expires_on", [date.min, date(2028, 2, 29), date.max])
def test_f20_the_widest_policy_still_finds_room_on_the_calendar(expires_on: date) -> None:
    widest = CLOSING.replace("days: 90", f"days: {MOST_DAYS_BEFORE}").replace(
        "lasts_days: 7", f"lasts_days: {MOST_DAYS_OPEN}"
    )
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        windows = place_windows(expires_on, zone, read_policy(widest))
        assert all(window.opens_at_ms < window.closes_at_ms for window in windows if window.step.days > 3)
