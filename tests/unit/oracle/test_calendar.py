"""The oracle's calendar against 200 frozen instants.

`instants.csv` was worked out without Python's zoneinfo: zdump (the C library's reader) listed the offsets of the zones,
and integer arithmetic on them gave the UTC instants; the jumps that fault row F20 names were compared by hand.
"""

import csv
from datetime import date, datetime, time
from pathlib import Path

import pytest

from tests.oracle.calendar import instant_ms, local, zone_of
from tests.unit.oracle.run_builder import ms

INSTANTS = list(csv.DictReader(Path(__file__).with_name("instants.csv").open(encoding="utf-8")))


def test_the_table_holds_200_instants_in_15_zones_with_skipped_and_repeated_times() -> None:
    assert len(INSTANTS) == 200
    assert len({row["zone"] for row in INSTANTS}) == 15
    assert {row["note"] for row in INSTANTS} == {"", "skipped", "twice"}


@pytest.mark.parametrize("row", INSTANTS, ids=lambda row: f"{row['zone']} {row['local']}")
def test_a_local_time_is_the_frozen_instant(row: dict[str, str]) -> None:
    wall = datetime.fromisoformat(row["local"])
    assert instant_ms(wall.date(), wall.time(), row["zone"]) == ms(row["utc"])


@pytest.mark.parametrize(
    ("zone", "day", "at", "utc"),
    [  # from the fault matrix, row F20
        ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08T07:00Z"),
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T05:30Z"),
        ("Africa/Cairo", date(2026, 4, 24), time(0), "2026-04-23T22:00Z"),
        ("America/Havana", date(2026, 3, 8), time(0), "2026-03-08T05:00Z"),
        ("America/Santiago", date(2026, 9, 6), time(0), "2026-09-06T04:00Z"),
        ("Asia/Beirut", date(2026, 3, 29), time(0), "2026-03-28T22:00Z"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:30Z"),
        ("Antarctica/Troll", date(2026, 3, 29), time(2), "2026-03-29T01:00Z"),
    ],
)
def test_a_skipped_time_is_the_first_valid_instant_and_a_repeated_one_the_first(
    zone: str, day: date, at: time, utc: str
) -> None:
    assert instant_ms(day, at, zone) == ms(utc)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "zone.tab", "tzdata.zi"]
)
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_of(name) is None


def test_an_instant_is_shown_on_the_wall_clock_of_its_zone() -> None:
    assert local(ms("2026-06-12T01:00Z"), "Asia/Shanghai").isoformat() == "2026-06-12T09:00:00+08:00"
