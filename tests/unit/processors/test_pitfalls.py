"""How others get this wrong: the pitfalls of time, lateness, repetition and payment that no other file shows."""

from datetime import date

import pytest
from msgspec.structs import replace

from processors.given import Rejudge
from schemas.vocabulary import Outcome, Reason, Verdict
from tests.builders import a_contract, a_customer, a_payment, ms
from tests.unit.processors.story import CLOSING, Story, policies_of, receipt_for

AFTER_MS = ms("2026-07-20T00:00Z")


def test_p1_the_offset_of_today_is_not_used_for_a_day_after_the_clock_change() -> None:
    story = Story(
        a_customer(zone="Europe/London"), a_contract(expires_on=date(2026, 4, 1)), now_ms=ms("2026-01-05T12:00Z")
    )
    assert story.run(AFTER_MS).sent_at() == {
        "t90": ms("2026-01-05T12:00Z"),  # seen first inside its window
        "t30": ms("2026-03-02T09:00Z"),  # winter time
        "t7": ms("2026-03-25T09:00Z"),
        "t3": ms("2026-03-30T08:00Z"),  # summer time since the day before, a Sunday
        "t0": ms("2026-04-01T08:00Z"),
    }


@pytest.mark.parametrize(
    ("zone", "opens"),
    [
        ("Pacific/Kiritimati", "2026-06-22T19:00Z"),
        ("Asia/Shanghai", "2026-06-23T01:00Z"),
        ("America/Los_Angeles", "2026-06-23T16:00Z"),
        ("Pacific/Niue", "2026-06-23T20:00Z"),
    ],
)
def test_p4_p6_the_same_local_day_wherever_the_customer_lives(zone: str, opens: str) -> None:
    assert Story(a_customer(zone=zone), a_contract()).run(AFTER_MS).sent_at()["t7"] == ms(opens)


def test_p8_a_customer_who_moves_is_placed_anew_and_no_step_repeats() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-23T02:00Z"))
    story.take(a_customer(version=2, zone="America/Los_Angeles")).run(AFTER_MS)
    assert [command.step for command in story.commands] == ["t90", "t30", "t7", "t3", "t0"]
    assert story.sent_at()["t3"] == ms("2026-06-29T16:00Z")


def test_p8_a_new_default_zone_moves_what_is_still_to_come() -> None:
    story = Story(a_customer(zone=""), a_contract()).run(ms("2026-06-24T02:00Z"))
    story.policies = policies_of(CLOSING.replace("default_zone: Asia/Shanghai", "default_zone: Asia/Tokyo"), number=2)
    story.take(Rejudge()).run(AFTER_MS)
    assert story.sent_at()["t3"] == ms("2026-06-29T00:00Z")


@pytest.mark.parametrize("hours", [-1, 1])
def test_p8_an_alarm_of_older_zone_data_neither_hurries_nor_delays_a_touch(hours: int) -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    opens_ms = ms("2026-06-23T01:00Z")
    assert story.state is not None
    stale = opens_ms + hours * 3_600_000  # as if the zone had been an hour off when the alarm was set
    terms = (replace(story.state.terms[0], alarm_at_ms=stale),)
    story.state = replace(story.state, terms=terms, alarm_at_ms=stale)
    if hours < 0:
        assert story.wake(stale).commands == ()
    assert story.take(Rejudge()).alarm_at_ms == opens_ms
    assert story.run(opens_ms).sent_at()["t7"] == opens_ms


def test_p9_a_touch_judged_late_keeps_to_the_window_of_its_step() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    story.wake(ms("2026-06-26T11:00Z"))
    assert story.outcomes()["t7"] == (Verdict.EXPIRED, Reason.WINDOW_CLOSED)


def test_p19_an_alarm_waits_as_long_as_it_must() -> None:
    story = Story(a_customer(), a_contract(expires_on=date(2029, 6, 29)))
    story.wake(story.now_ms + 1)
    assert story.alarm_at_ms == ms("2029-04-02T01:00Z")
    assert len(story.run(ms("2029-08-01T00:00Z")).commands) == 5


def test_p20_p25_two_events_and_two_ticks_at_one_instant_release_once() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    at_ms = ms("2026-06-23T01:00Z")
    story.take(a_contract(), a_contract()).wake(at_ms)
    story.take(a_contract(), a_customer()).wake(at_ms)
    assert len([command for command in story.commands if command.step == "t7"]) == 1


def test_p27_p28_a_payment_between_two_steps_or_a_second_before_the_tick_stops_the_next() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-23T01:00Z") - 1_000)
    story.take(a_payment()).run(AFTER_MS)
    assert "t7" not in story.sent_at()


def test_p27_no_second_chance_follows_the_payment() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    busy = Outcome.TEMPORARY_FAILURE
    story.run(ms("2026-06-23T01:00Z"), answer=lambda command: receipt_for(command, busy))
    story.take(a_payment()).run(AFTER_MS)
    assert [command.attempt for command in story.commands if command.step == "t7"] == [1]
    assert story.outcomes()["t7"] == (Verdict.SUPPRESSED, Reason.PAID)


def test_p29_a_new_rule_counts_from_the_next_judgement_on_and_its_number_is_on_the_decision() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-02T00:00Z"))
    story.policies = policies_of(CLOSING.replace('opens: "09:00"', 'opens: "10:00"'), number=2)
    before = len(story.decisions)
    story.take(Rejudge())
    assert len(story.decisions) == before, "re-judging emits nothing"
    story.run(AFTER_MS)
    assert story.sent_at()["t7"] == ms("2026-06-23T02:00Z")
    assert {one.policy_number for one in story.decisions[before:]} == {2}
    assert {one.policy_number for one in story.decisions[:before]} == {1}


def test_r26_a_tick_at_the_opening_releases_and_a_millisecond_earlier_does_not() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    opens_ms = ms("2026-06-23T01:00Z")
    assert story.wake(opens_ms - 1).commands == ()
    assert len(story.wake(opens_ms).commands) == 1


@pytest.mark.parametrize(
    ("now", "verdict", "looks"),
    [
        pytest.param("2026-06-01T10:00Z", Verdict.MOVED, "2026-06-02T01:00Z", id="R28: after 18:00, tomorrow"),
        pytest.param("2026-06-05T10:00Z", Verdict.EXPIRED, None, id="Friday evening, closes on Sunday"),
        pytest.param("2026-06-01T09:59Z", Verdict.RELEASED, None, id="a minute before 18:00"),
    ],
)
def test_r28_nothing_leaves_outside_send_hours(now: str, verdict: Verdict, looks: str | None) -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-05-20T00:00Z"))
    story.wake(ms(now))
    assert story.outcomes()["t30"][0] is verdict
    if looks is not None:
        assert story.alarm_at_ms == ms(looks)


def test_p8_a_touch_that_was_moved_follows_a_customer_to_another_zone() -> None:
    contracts = [a_contract(contract_id=name) for name in ("k-1", "k-2")]
    story = Story(a_customer(zone="America/New_York"), *contracts, now_ms=ms("2026-06-23T12:00Z"))
    story.run(ms("2026-06-23T13:30Z"))  # k-1 leaves at nine, k-2 is to leave at nine tomorrow
    story.take(a_customer(version=2, zone="Asia/Shanghai")).run(ms("2026-06-26T00:00Z"))
    left = {one.contract_id: one.decided_at_ms for one in story.commands if one.step == "t7"}
    assert left == {"k-1": ms("2026-06-23T13:00Z"), "k-2": ms("2026-06-24T01:00Z")}
