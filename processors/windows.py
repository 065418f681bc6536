"""Where each step of a cadence falls on the customer's calendar: from when to when its touch may leave (R24-R29)."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from processors.calendar import days_later, end_of_day_ms, instant_ms, local_day, placeable
from processors.policy import CadenceStep, Policy, SendHours

MOST_PLACED = 16_384  # a year of expiries in forty zones


class Window(NamedTuple):
    """One step's window in UTC milliseconds; a step whose window is empty opens when it closes, or later."""

    step: CadenceStep
    opens_at_ms: int
    closes_at_ms: int


@lru_cache(maxsize=MOST_PLACED)
def place_windows(expires_on: date, zone: str, policy: Policy) -> tuple[Window, ...]:
    """Place every step of the cadence, in the cadence's order (largest distance first).

    Args:
        expires_on: last covered local day in `zone`, the customer's.
        zone: a name that `zones.is_zone` accepts.
        policy: compared by identity.
    """
    expires_on = placeable(expires_on)
    placed: list[Window] = []
    next_opens_at_ms = end_of_day_ms(expires_on, zone)  # nothing stays open past expiry
    for step in reversed(policy.cadence):
        window = _place(step, expires_on, zone, policy)
        window = window._replace(closes_at_ms=min(window.closes_at_ms, next_opens_at_ms))
        next_opens_at_ms = min(next_opens_at_ms, window.opens_at_ms)
        placed.append(window)
    return tuple(reversed(placed))


def _place(step: CadenceStep, expires_on: date, zone: str, policy: Policy) -> Window:
    hours = policy.send_hours
    day = days_later(expires_on, -step.days)
    opens_on = working_day_from(day, hours)
    if opens_on > expires_on:  # postponing would pass expiry: pull forward (R27)
        opens_on = working_day_until(expires_on, hours)
    moved_days = (opens_on - day).days
    opens = instant_ms(opens_on, hours.opens_minute, zone)
    closes = _closes(step, day, zone, policy)
    if moved_days < 0 or opens >= closes:
        closes = _closes(step, opens_on, zone, policy)
    return Window(step, opens, closes)


def _closes(step: CadenceStep, day: date, zone: str, policy: Policy) -> int:
    if step.days == 0:
        return instant_ms(day, policy.send_hours.closes_minute, zone)
    lasts_days = next(length.lasts_days for length in policy.windows if step.days >= length.from_days)
    return instant_ms(days_later(day, lasts_days), policy.send_hours.opens_minute, zone)


def working_day_from(day: date, hours: SendHours) -> date:
    """The first working day that is not before this one."""
    while day.isoweekday() not in hours.working_days:
        day = days_later(day, 1)
    return day


def working_day_until(day: date, hours: SendHours) -> date:
    """The last working day that is not after this one."""
    while day.isoweekday() not in hours.working_days:
        day = days_later(day, -1)
    return day


def is_working_day(at_ms: int, zone: str, hours: SendHours) -> bool:
    """Whether touches may leave at some hour of the local day of this instant."""
    return local_day(at_ms, zone).isoweekday() in hours.working_days


def hours_end_ms(now_ms: int, zone: str, hours: SendHours) -> int | None:
    """When the send hours that hold `now_ms` end; None outside send hours."""
    today = local_day(now_ms, zone)
    if today.isoweekday() not in hours.working_days or now_ms < instant_ms(today, hours.opens_minute, zone):
        return None
    closes_at_ms = instant_ms(today, hours.closes_minute, zone)
    return closes_at_ms if now_ms < closes_at_ms else None


def next_opening_ms(now_ms: int, zone: str, hours: SendHours) -> int:
    """The first opening after an instant, perhaps later on the same local day."""
    today = local_day(now_ms, zone)
    opens_at_ms = instant_ms(working_day_from(today, hours), hours.opens_minute, zone)
    return opens_at_ms if opens_at_ms > now_ms else opening_after_today_ms(now_ms, zone, hours)


def opening_after_today_ms(now_ms: int, zone: str, hours: SendHours) -> int:
    """The first opening on a later local day: a calendar day on, not 24 hours (P3)."""
    day = working_day_from(days_later(local_day(now_ms, zone), 1), hours)
    return instant_ms(day, hours.opens_minute, zone)
