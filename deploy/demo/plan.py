"""What a generated world is made of: the plan that a seed turns into files, a schedule and contacts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

Fields = Mapping[str, object]

STARTS_ON = date(2026, 2, 2)  # a Monday; clocks jump on 8 March (US), 29 March (EU) and 5 April (Lord Howe)
DAY_MS = 86_400_000  # of UTC, which has no other
PUBLISHED_AT_HOURS = (6, 18)  # UTC; few instants, so that inputs share ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldPlan:
    """How many customers, how long, from when, by which seed."""

    customers: int = 1_000
    days: int = 100
    seed: int = 1
    starts_on: date = STARTS_ON

    @property
    def start_ms(self) -> int:
        """Midnight UTC of the first day."""
        return at_ms(self.starts_on)

    @property
    def until_ms(self) -> int:
        """Midnight UTC after the last day: the horizon."""
        return at_ms(self.starts_on + timedelta(days=self.days))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """A row that the CRM or billing sends at an instant during the run."""

    at_ms: int
    fields: Fields

    @property
    def brings_contact(self) -> bool:
        """Whether a customer's name or address comes with it."""
        return "contact" in self.fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """Bytes that are no record of ours, under a customer's key (F13)."""

    at_ms: int
    topic: str
    customer_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a run is fed: files by name, later rows in order, and the contacts in clear (test data only)."""

    plan: WorldPlan
    files: Mapping[str, tuple[Fields, ...]]
    spoilt_lines: tuple[str, ...]
    schedule: tuple[PlannedRow | Poison, ...]
    contacts: tuple[Fields, ...]


def at_ms(day: date, hour: int = 0) -> int:
    """A whole hour UTC as epoch milliseconds."""
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()) * 1000


def iso(instant_ms: int) -> str:
    """An instant as people write it, UTC."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
