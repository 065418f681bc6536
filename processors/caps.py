"""Frequency caps: how many touches a customer has had, over all contracts and channels."""

from collections.abc import Iterable

from processors.calendar import local_day
from processors.policy import Caps
from processors.state import Stage, Term

_REACHED = frozenset({Stage.OUT, Stage.WITHDRAWN, Stage.SENT, Stage.UNKNOWN})


def is_capped(terms: Iterable[Term], own: tuple[str, str, str], now_ms: int, zone: str, caps: Caps) -> bool:
    """Whether one more touch now would be one too many.

    Args:
        terms: all terms of the customer as they stand now.
        own: contract, term and step of the touch being judged, which does not stand in its own way.
        now_ms: a release exactly one period earlier no longer counts.
        zone: the customer's, whose local days are counted.
        caps: an exempt step is never capped, yet counts for the others.
    """
    if own[2] in caps.exempt_steps:
        return False
    since_ms = now_ms - caps.period_ms
    released = [
        touch.released_at_ms
        for term in terms
        for touch in term.touches
        if touch.released_at_ms > since_ms
        and touch.stage in _REACHED
        and (term.contract_id, term.term_id, touch.step) != own
    ]
    if len(released) >= caps.per_period:
        return True
    today = local_day(now_ms, zone)
    return sum(local_day(at_ms, zone) == today for at_ms in released) >= caps.per_local_day
