"""Laws of the calendar: every zone of tzdata over ten years, and windows wherever a contract may expire (R24-R26)."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.calendar import HOUR_MS, end_of_day_ms, instant_ms, local_day, local_time
from processors.policy import Policy
from processors.windows import hours_end_ms, place_windows
from processors.zones import tzdata_version, zone_named, zone_names
from tests.unit.processors.story import POLICIES

FIRST, YEARS = date(2021, 1, 1), 10
ZONES = sorted(zone_names())
NINE = 9 * 60


def policy() -> Policy:
    assert POLICIES.current is not None
    return POLICIES.current


def clock_changes(zone: str) -> list[date]:
    """Local days of ten years beside which the offset differs, found by looking once a day."""
    days = [FIRST + timedelta(days=day) for day in range(366 * YEARS)]
    noons = [datetime(day.year, day.month, day.day, 12, tzinfo=zone_named(zone)) for day in days]
    offsets = [noon.utcoffset() for noon in noons]
    return [day for day, before, after in zip(days[1:], offsets, offsets[1:], strict=False) if before != after]


@pytest.mark.parametrize("part", range(8))
def test_nine_o_clock_is_nine_o_clock_in_every_zone_around_every_clock_change(part: int) -> None:
    checked = 0
    for zone in ZONES[part::8]:
        for changed in clock_changes(zone):
            for days in (-1, 0, 1):
                day = changed + timedelta(days=days)
                shown = local_time(instant_ms(day, NINE, zone), zone)
                assert (shown.date(), shown.hour, shown.minute) == (day, 9, 0), (zone, day)
                checked += 1
    assert checked


@pytest.mark.parametrize("part", range(4))
def test_every_minute_of_a_day_of_change_has_its_first_valid_instant(part: int) -> None:
    for zone in ZONES[part::40]:  # a sample: every minute of every change would be ten million instants
        for changed in clock_changes(zone)[-4:]:
            for day in (changed - timedelta(days=1), changed):
                _check_day(day, zone)


def _check_day(day: date, zone: str) -> None:
    asked = [datetime(day.year, day.month, day.day) + timedelta(minutes=minute) for minute in range(0, 1440, 5)]  # noqa: DTZ001  what a clock on the wall shows
    found = [instant_ms(day, minute, zone) for minute in range(0, 1440, 5)]
    assert found == sorted(found)
    for wanted, at_ms in zip(asked, found, strict=True):
        shown = local_time(at_ms, zone).replace(tzinfo=None)
        assert shown >= wanted
        if shown > wanted:  # skipped by the clock: a millisecond earlier it was before the gap
            assert local_time(at_ms - 1, zone).replace(tzinfo=None) < wanted


@given(
    st.sampled_from(ZONES),
    st.dates(date(2024, 1, 1), date(2034, 12, 31)),
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_windows_open_in_order_in_send_hours_and_never_past_expiry(zone: str, expires_on: date) -> None:
    placed = place_windows(expires_on, zone, policy())
    over_ms = end_of_day_ms(expires_on, zone)
    for window, following in pairwise(placed):
        assert window.closes_at_ms <= following.opens_at_ms
    for window in placed:
        nominal = expires_on - timedelta(days=window.step.days)
        opens_on = local_day(window.opens_at_ms, zone)
        assert hours_end_ms(window.opens_at_ms, zone, policy().send_hours) is not None
        assert local_time(window.opens_at_ms, zone).hour == 9
        assert window.opens_at_ms < window.closes_at_ms <= over_ms
        assert abs((opens_on - nominal).days) <= 2, "moved at most over a weekend"
        assert opens_on >= nominal or window.step.days == 0
        assert window.closes_at_ms - window.opens_at_ms <= 7 * 24 * HOUR_MS + HOUR_MS * 25


@given(st.sampled_from(ZONES), st.integers(0, 4_102_444_800_000))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_local_day_holds_its_instants(zone: str, at_ms: int) -> None:
    day = local_day(at_ms, zone)
    assert datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone_named(zone)).date() == day
    assert instant_ms(day, 0, zone) <= at_ms < end_of_day_ms(day, zone)


def test_the_zone_data_is_the_pinned_one() -> None:
    assert tzdata_version() == "2026f"
    assert len(ZONES) > 590
