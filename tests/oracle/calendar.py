"""The oracle's own calendar: local wall times in the zones of the pinned tzdata, as UTC milliseconds."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_SECOND_MS = 1_000


def zone_data_version() -> str:
    """Name the zone data that this verdict rests on, such as `2026f`."""
    with files("tzdata").joinpath("zoneinfo", "tzdata.zi").open(encoding="ascii") as data:
        return data.readline().split()[-1]


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """Find a zone in the tzdata package, never in the machine's own files; None when there is no such zone."""
    parts = name.split("/")
    if not name or any(part in {"", ".", ".."} for part in parts):
        return None
    place = files("tzdata").joinpath("zoneinfo", *parts)
    if not place.is_file():
        return None
    try:
        with place.open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except ValueError:
        return None  # an index file beside the zones


@lru_cache(maxsize=1_000_000)
def instant_ms(day: date, at: time, zone: str) -> int:
    """Tell when a wall clock in a zone shows this time: the first of two such instants.

    A time that the clock skips gives the first instant after the skip.
    """
    info = _known(zone)
    wall = datetime.combine(day, at)
    early = wall.replace(tzinfo=info, fold=0).astimezone(UTC)
    if early.astimezone(info).replace(tzinfo=None) == wall:
        return _ms(early)
    before = wall.replace(tzinfo=info, fold=1).astimezone(UTC)
    return _ms(_first_after_jump(before, early, info))


def local(at_ms: int, zone: str) -> datetime:
    """Show an instant on the wall clock of a zone."""
    return datetime.fromtimestamp(at_ms / _SECOND_MS, _known(zone))


def add_days(day: date, days: int) -> date:
    """Count calendar days, which may last 23 or 25 hours."""
    return day + timedelta(days=days)


def _known(zone: str) -> ZoneInfo:
    info = zone_of(zone)
    if info is None:
        raise LookupError(f"zone {zone!r} is not in tzdata {zone_data_version()}")
    return info


def _first_after_jump(before: datetime, after: datetime, info: ZoneInfo) -> datetime:
    """Halve the span in which the offset changes until one second is left."""
    low, high = int(before.timestamp()), int(after.timestamp())
    offset = datetime.fromtimestamp(low, info).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, info).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * _SECOND_MS)
