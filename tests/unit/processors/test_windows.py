"""Where the steps of the closing cadence fall: hours, days, clock changes, weekends and closes (R24-R29)."""

from datetime import date

import pytest

from processors.calendar import instant_ms
from processors.windows import Window, next_opening_ms, opening_after_today_ms, place_windows
from tests.builders import ms
from tests.unit.processors.story import POLICIES

POLICY = POLICIES.current
assert POLICY is not None
HOURS = POLICY.send_hours
UTC = "UTC"


def window(step: str, expires_on: str, zone: str = UTC) -> Window:
    assert POLICY is not None
    placed = place_windows(date.fromisoformat(expires_on), zone, POLICY)
    return next(one for one in placed if one.step.name == step)


@pytest.mark.parametrize(
    ("zone", "day", "opens"),
    [  # New York's clock jumps 02:00 -> 03:00 on 8 March 2026, a Sunday; Lord Howe goes back half an hour on 5 April
        pytest.param("America/New_York", "2026-03-06", "2026-03-06T14:00", id="before the jump"),
        pytest.param("America/New_York", "2026-03-09", "2026-03-09T13:00", id="after the jump"),
        pytest.param("Australia/Lord_Howe", "2026-04-03", "2026-04-02T22:00", id="before half an hour back"),
        pytest.param("Australia/Lord_Howe", "2026-04-06", "2026-04-05T22:30", id="after half an hour back"),
        pytest.param("Asia/Shanghai", "2026-03-09", "2026-03-09T01:00", id="no jumps"),
        pytest.param("Asia/Kathmandu", "2026-03-09", "2026-03-09T03:15", id="a quarter"),
        pytest.param("Pacific/Kiritimati", "2026-03-09", "2026-03-08T19:00", id="14 hours ahead"),
        pytest.param("Pacific/Niue", "2026-03-09", "2026-03-09T20:00", id="11 hours behind"),
        pytest.param("Africa/Casablanca", "2026-02-16", "2026-02-16T09:00", id="Ramadan puts the clock back"),
        pytest.param("Africa/Casablanca", "2026-03-23", "2026-03-23T08:00", id="and forward again"),
    ],
)
def test_the_day_of_expiry_opens_at_nine_local_time(zone: str, day: str, opens: str) -> None:
    assert window("t0", day, zone).opens_at_ms == ms(opens)


@pytest.mark.parametrize(
    ("day", "minute", "zone", "instant"),
    [
        pytest.param("2026-03-08", 150, "America/New_York", "2026-03-08T07:00", id="02:30 is missing"),
        pytest.param("2026-11-01", 90, "America/New_York", "2026-11-01T05:30", id="01:30 comes twice"),
        pytest.param("2026-04-24", 0, "Africa/Cairo", "2026-04-23T22:00", id="Cairo has no midnight"),
        pytest.param("2026-03-08", 0, "America/Havana", "2026-03-08T05:00", id="Havana has no midnight"),
        pytest.param("2026-09-06", 0, "America/Santiago", "2026-09-06T04:00", id="Santiago has no midnight"),
        pytest.param("2026-03-29", 0, "Asia/Beirut", "2026-03-28T22:00", id="Beirut has no midnight"),
        pytest.param("2026-11-01", 0, "America/Havana", "2026-11-01T04:00", id="Havana has midnight twice"),
        pytest.param("2026-04-05", 105, "Australia/Lord_Howe", "2026-04-04T14:45", id="half an hour twice"),
        pytest.param("2026-10-04", 135, "Australia/Lord_Howe", "2026-10-03T15:30", id="half an hour is missing"),
        pytest.param("2026-03-29", 120, "Antarctica/Troll", "2026-03-29T01:00", id="two hours are missing"),
        pytest.param("2011-12-30", 540, "Pacific/Apia", "2011-12-30T10:00", id="a day that never was"),
        pytest.param("2026-12-31", 1440, "Asia/Shanghai", "2026-12-31T16:00", id="the end of a year"),
        pytest.param("2028-02-29", 540, "Europe/London", "2028-02-29T09:00", id="29 February"),
    ],
)
def test_a_missing_local_time_is_the_first_valid_instant_and_a_repeated_one_the_first(
    day: str, minute: int, zone: str, instant: str
) -> None:
    assert instant_ms(date.fromisoformat(day), minute, zone) == ms(instant)


@pytest.mark.parametrize(
    ("step", "expires_on", "opens", "closes"),
    [  # 2026-07-01 is a Wednesday
        pytest.param("t90", "2026-07-01", "2026-04-02T09:00", "2026-04-09T09:00", id="a week for t90"),
        pytest.param("t30", "2026-07-01", "2026-06-01T09:00", "2026-06-08T09:00", id="a week for t30"),
        pytest.param("t7", "2026-07-01", "2026-06-24T09:00", "2026-06-26T09:00", id="two days for t7"),
        pytest.param("t3", "2026-07-02", "2026-06-29T09:00", "2026-07-01T09:00", id="two days for t3"),
        pytest.param("t0", "2026-07-01", "2026-07-01T09:00", "2026-07-01T18:00", id="till evening for t0"),
        pytest.param("t30", "2026-06-30", "2026-06-01T09:00", "2026-06-07T09:00", id="Sunday moves the opening only"),
        pytest.param("t7", "2026-06-27", "2026-06-22T09:00", "2026-06-24T09:00", id="Saturday moves the close too"),
        pytest.param("t7", "2026-06-28", "2026-06-22T09:00", "2026-06-23T09:00", id="Sunday leaves t7 one day"),
        pytest.param("t3", "2026-06-30", "2026-06-29T09:00", "2026-06-30T09:00", id="t3 ends where t0 opens"),
        pytest.param("t0", "2026-06-27", "2026-06-26T09:00", "2026-06-26T18:00", id="t0 on Saturday is on Friday"),
        pytest.param("t0", "2026-06-28", "2026-06-26T09:00", "2026-06-26T18:00", id="t0 on Sunday is on Friday"),
        pytest.param("t3", "2026-06-28", "2026-06-25T09:00", "2026-06-26T09:00", id="t3 before a pulled t0"),
    ],
)
def test_a_window_opens_and_closes(step: str, expires_on: str, opens: str, closes: str) -> None:
    placed = window(step, expires_on)
    assert (placed.opens_at_ms, placed.closes_at_ms) == (ms(opens), ms(closes))


@pytest.mark.parametrize(
    ("now", "zone", "opens"),
    [
        pytest.param("2026-06-24T00:59", "Asia/Shanghai", "2026-06-24T01:00", id="08:59 waits a minute"),
        pytest.param("2026-06-24T01:00", "Asia/Shanghai", "2026-06-25T01:00", id="09:00 waits for tomorrow"),
        pytest.param("2026-06-26T04:00", "Asia/Shanghai", "2026-06-29T01:00", id="P2: Friday noon waits for Monday"),
        pytest.param("2026-03-06T20:00", "America/New_York", "2026-03-09T13:00", id="P3: a calendar day, not 24 hours"),
    ],
)
def test_the_next_opening_is_on_a_working_day(now: str, zone: str, opens: str) -> None:
    assert next_opening_ms(ms(now), zone, HOURS) == ms(opens)


def test_a_move_to_another_day_never_lands_on_the_same_one() -> None:
    assert opening_after_today_ms(ms("2026-06-24T00:10"), "Asia/Shanghai", HOURS) == ms("2026-06-25T01:00")
