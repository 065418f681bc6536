"""Time zones from the pinned `tzdata` wheel and from nowhere else.

`ZoneInfo(name)` would look at the system's files first, so two workers could disagree about one zone (P8); the files
are therefore opened from the package, without touching the process-wide search path.
"""

from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

MOST_CACHED_ZONES = 1024


@cache
def tzdata_version() -> str:
    """Name the zone data in force, such as `2026f`; workers on different data must notice each other."""
    with files("tzdata").joinpath("zoneinfo", "tzdata.zi").open(encoding="utf-8") as file:
        return file.readline().removeprefix("# version ").strip()


@cache
def zone_names() -> frozenset[str]:
    """Every zone that the pinned data knows, links included."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def is_zone(name: str) -> bool:
    """Whether the pinned data knows this name; "" is no zone."""
    return name in zone_names()


@lru_cache(maxsize=MOST_CACHED_ZONES)
def zone_named(name: str) -> ZoneInfo:
    """Open one zone; KeyError when `is_zone` denies it."""
    if name not in zone_names():
        raise KeyError(name)
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
