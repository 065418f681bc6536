"""Where the steps of a cadence fall on a customer's local calendar."""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from tests.oracle.calendar import add_days, instant_ms, local
from tests.oracle.policy import CadenceStep, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One step's window, [opens, closes); empty when a more urgent step takes its whole place."""

    step: CadenceStep
    opens_ms: int
    closes_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    step: CadenceStep
    opens_on: date
    closes_on: date
    closes_same_day: bool


@lru_cache(maxsize=200_000)
def place_windows(expires_on: date, zone: str, policy: Policy) -> tuple[Window, ...]:
    """Place every step before an expiry, first step first (the defaults table of the design)."""
    places = [_place(step, expires_on, policy) for step in policy.steps]
    opens = [instant_ms(place.opens_on, policy.send_from, zone) for place in places]
    return tuple(
        Window(
            step=place.step,
            opens_ms=opens[index],
            closes_ms=min([_closes_ms(place, zone, policy), *opens[index + 1 :]]),
        )
        for index, place in enumerate(places)
    )


@lru_cache(maxsize=400_000)
def slots(opens_ms: int, closes_ms: int, zone: str, policy: Policy) -> tuple[tuple[int, int], ...]:
    """Cut the allowed send hours on working days out of a window."""
    found = []
    if opens_ms < closes_ms:
        day, last = local(opens_ms, zone).date(), local(closes_ms, zone).date()
        while day <= last:
            if is_working(day, policy):
                begins = max(opens_ms, instant_ms(day, policy.send_from, zone))
                ends = min(closes_ms, instant_ms(day, policy.send_until, zone))
                if begins < ends:
                    found.append((begins, ends))
            day = add_days(day, 1)
    return tuple(found)


def is_working(day: date, policy: Policy) -> bool:
    """Whether anything may be sent on a local day; public holidays come with a later release."""
    return day.isoweekday() in policy.working_days


def _place(step: CadenceStep, expires_on: date, policy: Policy) -> _Place:
    nominal = add_days(expires_on, -step.days_before)
    place = _nominal(step, nominal, policy)
    opens_on = _working_day(nominal, policy, 1)
    if opens_on > expires_on:  # pull forward: a postponed touch never passes expiry
        return _nominal(step, _working_day(nominal, policy, -1), policy)
    moved_days = (opens_on - nominal).days
    is_past = opens_on > place.closes_on or (opens_on == place.closes_on and not place.closes_same_day)
    closes_on = add_days(place.closes_on, moved_days) if is_past else place.closes_on
    return replace(place, opens_on=opens_on, closes_on=closes_on)


def _nominal(step: CadenceStep, opens_on: date, policy: Policy) -> _Place:
    days = policy.lasts_days(step)
    return _Place(step=step, opens_on=opens_on, closes_on=add_days(opens_on, days), closes_same_day=days == 0)


def _working_day(day: date, policy: Policy, stride: int) -> date:
    while not is_working(day, policy):
        day = add_days(day, stride)
    return day


def _closes_ms(place: _Place, zone: str, policy: Policy) -> int:
    return instant_ms(place.closes_on, policy.send_until if place.closes_same_day else policy.send_from, zone)
