"""The picture of a run: a stacked bar a day, marks for payments and the kill; geometry only, the template draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT, LEFT, BOTTOM = 1_000, 260, 44, 44
GRID_LINES = 4
_INK = 0.85  # of a slot; the rest is the gap to the next day


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The place of one day's bar; `unit` is the height of one touch."""

    x: float
    width: float
    unit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One part of a day's bar, in units of the picture."""

    outcome: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened on a day, on the axis below the bars."""

    kind: str
    x: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is drawn, in units of a `WIDTH` by `HEIGHT` plane."""

    boxes: Sequence[Box]
    marks: Sequence[Mark]
    grid: Sequence[tuple[float, int]]
    labels: Sequence[tuple[float, str]]


def picture_of(
    by_day: Mapping[date, Mapping[str, int]],
    outcomes: Sequence[str],
    marks: Mapping[date, Sequence[tuple[str, str]]],
    days: Sequence[date],
) -> Picture:
    """Lay out the days; `outcomes` are stacked in this order, `marks` are (kind, title) by day."""
    step = (WIDTH - LEFT) / max(1, len(days))
    tallest = max((sum(parts.values()) for parts in by_day.values()), default=0) or 1
    unit = (HEIGHT - BOTTOM - 10) / tallest
    x_of = {day: LEFT + number * step for number, day in enumerate(days)}
    return Picture(
        boxes=[
            box
            for day in days
            for box in _bar(day, by_day.get(day, {}), outcomes, Slot(x=x_of[day], width=step, unit=unit))
        ],
        marks=[
            Mark(kind=kind, x=round(x_of[day] + step / 2, 1), title=f"{day.isoformat()}: {title}")
            for day in days
            for kind, title in marks.get(day, ())
        ],
        grid=[
            (round(HEIGHT - BOTTOM - tallest * part / GRID_LINES * unit, 1), round(tallest * part / GRID_LINES))
            for part in range(GRID_LINES + 1)
        ],
        labels=[(round(x_of[day], 1), f"{day:%d %b}") for day in days if day.weekday() == 0],
    )


def span(first: date, days: int) -> list[date]:
    """The days of a run."""
    return [first + timedelta(days=number) for number in range(days)]


def _bar(day: date, parts: Mapping[str, int], outcomes: Sequence[str], slot: Slot) -> list[Box]:
    boxes, top = [], float(HEIGHT - BOTTOM)
    for outcome in outcomes:
        count = parts.get(outcome, 0)
        if not count:
            continue
        top -= count * slot.unit
        boxes.append(
            Box(
                outcome=outcome,
                x=round(slot.x, 1),
                y=round(top, 1),
                width=round(slot.width * _INK, 1),
                height=round(count * slot.unit, 2),
                title=f"{day:%a} {day.isoformat()}: {count} {outcome.replace('_', ' ')}",
            )
        )
    return boxes
