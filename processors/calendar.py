"""Local days and hours in, UTC milliseconds out: the only place of the core that knows `datetime`.

A local time that the clock skips becomes the first valid instant after it, one that comes twice the first of the two.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from processors.zones import zone_named

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
WEEK_MS = 7 * 24 * HOUR_MS  # a length of time, never a number of local days
MINUTES_A_DAY = 24 * 60
MOST_CACHED = 65_536
EARLIEST_DAY, LATEST_DAY = date(1971, 1, 1), date(9999, 1, 1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=MOST_CACHED)
def instant_ms(day: date, minute: int, zone: str) -> int:
    """The instant at which the clock of `zone` shows `minute` (0 to 1440) of a local day (R24, R25; P1)."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone_named(zone)) + timedelta(minutes=minute)
    at = local.astimezone(UTC)
    if at.astimezone(local.tzinfo).replace(fold=0) != local:
        at = _end_of_gap(local)
    return (at - _EPOCH) // _MILLISECOND


def _end_of_gap(local: datetime) -> datetime:
    zone = local.tzinfo
    before, after = local.replace(fold=1).astimezone(UTC), local.replace(fold=0).astimezone(UTC)
    old_offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:  # the clock jumps once between these two
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after


def local_time(at_ms: int, zone: str) -> datetime:
    """What the clock of `zone` shows at an instant, with its offset."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone_named(zone))


@lru_cache(maxsize=MOST_CACHED)
def local_day(at_ms: int, zone: str) -> date:
    """The local day of an instant (P2, P4)."""
    return local_time(at_ms, zone).date()


def placeable(day: date) -> date:
    """The day itself, or the nearest one with room for windows around it: some CRMs write 9999-12-31 for "never"."""
    return min(max(day, EARLIEST_DAY), LATEST_DAY)


def end_of_day_ms(day: date, zone: str) -> int:
    """The first instant after a local day, which may have lasted 23 or 25 hours."""
    return instant_ms(day, MINUTES_A_DAY, zone)


def days_later(day: date, days: int) -> date:
    """A calendar day further on, or further back when negative (P3: a day is no number of hours)."""
    return day + timedelta(days=days)


def utc_text(at_ms: int) -> str:
    """An instant as people write it in UTC, such as `2026-03-08 13:00 UTC`."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%d %H:%M UTC")


def local_text(at_ms: int, zone: str) -> str:
    """An instant on the clock of `zone`, with the zone's name and offset (P35)."""
    shown = local_time(at_ms, zone)
    offset = shown.strftime("%z")
    return f"{shown:%a %Y-%m-%d %H:%M} {zone} (UTC{offset[:3]}:{offset[3:5]})"
