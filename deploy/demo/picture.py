"""The picture of a run: a stacked bar a day, marks for payments and the kill; geometry only, the template draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 1_000, 260, 44, 20, 44
GRID_LINES = 4
_DWARFS = 3  # times the second tallest: then its bar is cut and its sum written beside it
_LABEL = 36  # width of a date
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
    """All that is drawn, in units of a `WIDTH` by `HEIGHT` plane.

    `cut` gives the sums of bars too tall to draw: such a bar fills the plane, its parts in proportion.
    """

    boxes: Sequence[Box]
    cut: Sequence[tuple[float, int]]
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
    sums = {day: sum(by_day.get(day, {}).values()) for day in days}
    tallest = _ceiling(list(sums.values()))
    plane = HEIGHT - BOTTOM - TOP
    x_of = {day: LEFT + number * step for number, day in enumerate(days)}
    return Picture(
        boxes=[
            box
            for day in days
            for box in _bar(
                day, by_day.get(day, {}), outcomes, Slot(x=x_of[day], width=step, unit=plane / max(tallest, sums[day]))
            )
        ],
        cut=[(round(x_of[day] + step, 1), count) for day, count in sums.items() if count > tallest],
        marks=[
            Mark(kind=kind, x=round(x_of[day] + step / 2, 1), title=f"{day.isoformat()}: {title}")
            for day in days
            for kind, title in marks.get(day, ())
        ],
        grid=[
            (round(HEIGHT - BOTTOM - plane * part / GRID_LINES, 1), round(tallest * part / GRID_LINES))
            for part in range(GRID_LINES + 1)
        ],
        labels=[
            (round(x_of[day], 1), f"{day:%d %b}") for day in days if day.weekday() == 0 and x_of[day] < WIDTH - _LABEL
        ],
    )


def span(first: date, days: int) -> list[date]:
    """The days of a run."""
    return [first + timedelta(days=number) for number in range(days)]


def _ceiling(sums: Sequence[int]) -> int:
    """The sum that reaches the top: the tallest day's, or the next one's where the tallest would dwarf all others."""
    first, second = ([*sorted(sums, reverse=True), 0, 0])[:2]
    return max(1, second if second and first > _DWARFS * second else first)


def _bar(day: date, parts: Mapping[str, int], outcomes: Sequence[str], slot: Slot) -> list[Box]:
    boxes, top = [], float(HEIGHT - BOTTOM)
    for outcome in outcomes:
        count = parts.get(outcome, 0)
        height = count * slot.unit
        if not count:
            continue
        top -= height
        boxes.append(
            Box(
                outcome=outcome,
                x=round(slot.x, 1),
                y=round(top, 1),
                width=round(slot.width * _INK, 1),
                height=round(height, 2),
                title=f"{day:%a} {day.isoformat()}: {count:,} {outcome.replace('_', ' ')}",
            )
        )
    return boxes
