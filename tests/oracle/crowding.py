"""Which touches the caps leave open, because the customer's other touches may have taken their day."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from tests.oracle.calendar import local
from tests.oracle.expectation import Expectation, TouchId, Verdict

RETRIES_MS = 3 * 3_600_000  # 5 min, 30 min and 2 h after a refusal


def under_caps(touches: list[Expectation]) -> Iterator[Expectation]:
    """Leave open what may have been moved out of its window because of the customer's other touches."""
    rivals = [one for one in touches if one.verdict is not Verdict.MUST_NOT]
    firm: set[TouchId] = set()  # those that no cap can have moved
    earlier: list[Expectation] = []
    for one in sorted(touches, key=_urgency):
        judged = one
        if one.verdict is Verdict.MUST:
            open_to_doubt = [rival for rival in rivals if rival.verdict is Verdict.EITHER]
            if one.step.is_exempt or not _may_be_capped(one, [*earlier, *open_to_doubt], firm):
                firm.add(one.touch)
            elif _may_be_crowded_out(one, rivals):
                judged = replace(one, verdict=Verdict.EITHER)
            earlier.append(one)
        yield judged


def _urgency(one: Expectation) -> tuple[int, int, int, TouchId]:
    """The order in which touches of a customer are judged: at one instant, the nearest expiry first."""
    return one.decides_ms, one.step.days_before, one.closes_ms, one.touch


def _may_be_capped(one: Expectation, earlier: Sequence[Expectation], firm: AbstractSet[TouchId]) -> bool:
    """Whether touches judged before it may fill the caps at the instant at which it is decided."""
    if one.decides_ms == one.closes_ms - 1:  # on a real clock that instant is not known
        return True
    placement, policy = one.placements[-1], one.placements[-1].policy
    today = local(one.decides_ms, placement.zone).date()
    ends = [_may_go_until_ms(rival, firm) for rival in earlier if rival.opens_ms <= one.decides_ms]
    recent = [end_ms for end_ms in ends if end_ms > one.decides_ms - policy.period_ms]
    on_day = sum(local(end_ms, placement.zone).date() >= today for end_ms in recent)
    return on_day >= policy.touches_a_day or len(recent) >= policy.touches_a_period


def _may_go_until_ms(rival: Expectation, firm: AbstractSet[TouchId]) -> int:
    """The last instant at which a rival, or its retry after a refusal, may be released."""
    return min(rival.decides_ms + RETRIES_MS, rival.closes_ms) if rival.touch in firm else rival.closes_ms


def _may_be_crowded_out(one: Expectation, rivals: Sequence[Expectation]) -> bool:
    """Whether rivals may fill every day on which it could go instead, or something may happen on the way."""
    placement, policy = one.placements[-1], one.placements[-1].policy
    near = [rival for rival in rivals if rival is not one and _is_near(one, rival, policy.period_ms)]
    if not near:
        return False
    days = {local(begins, placement.zone).date() for begins, _ in placement.slots_from(placement.certain_from_ms)}
    is_full = len(near) >= policy.touches_a_period or len(near) >= len(days) * policy.touches_a_day
    return is_full or _may_change_before_close(one)


def _may_change_before_close(one: Expectation) -> bool:
    """Whether something may forbid a touch that a cap moved, or place it anew, before its window closes."""
    window = (one.opens_ms, one.closes_ms)
    is_replaced = any(
        placement.certain_to_ms < one.closes_ms and (placement.window.opens_ms, placement.window.closes_ms) == window
        for placement in one.placements
    )
    return is_replaced or any(
        span.possible_from_ms < one.closes_ms and one.decides_ms < span.possible_to_ms for span in one.blockers
    )


def _is_near(one: Expectation, rival: Expectation, period_ms: int) -> bool:
    return rival.opens_ms < one.closes_ms and one.opens_ms - period_ms < rival.closes_ms
