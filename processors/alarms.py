"""The one instant at which a customer is next judged; what `waking` does at it is decided by the same functions."""

from datetime import date

from processors.calendar import WEEK_MS, end_of_day_ms, placeable
from processors.draft import zone_of
from processors.policies import Policies
from processors.policy import Policy
from processors.state import AT_A_CHANNEL, CustomerState, Stage, Term, Touch
from processors.suppression import Cause, cause_against, is_reachable
from processors.windows import Window, place_windows
from schemas.vocabulary import Channel, Reason, Verdict

NEVER_MS = 1 << 62
_UNFINISHED = frozenset({Verdict.MOVED, Verdict.RETRIED, Verdict.HELD, Verdict.WITHDRAWN, Verdict.REOPENED})
_WAITS_FOR_ITS_HOUR = frozenset({Verdict.MOVED, Verdict.RETRIED})


def term_alarm_ms(state: CustomerState, term: Term, policies: Policies, now_ms: int) -> int | None:
    """When this term is next to be judged; `now_ms` where something is due already, None for never."""
    policy = policies.current
    if policy is None:
        return None
    found = min((touch_alarm_ms(touch, policy) for touch in term.touches), default=NEVER_MS)
    if term.facts is not None and not term.is_retired and state.erasure is None:
        zone = zone_of(state, policies)[0]
        if term.placed_for != placement(term.facts.expires_on, zone):
            return now_ms
        found = min(found, _next_look_ms(state, term, policies, zone, now_ms), _tidying_ms(term, policy, zone))
    return None if found == NEVER_MS else max(found, now_ms)


def placement(expires_on: date, zone: str) -> str:
    """What windows depend on besides the policy."""
    return f"{expires_on.isoformat()} {zone}"


def touch_alarm_ms(touch: Touch, policy: Policy) -> int:
    """When a touch needs attention that has nothing to do with its window."""
    is_asked = touch.asked_at_ms > touch.answered_at_ms
    return 0 if touch.owes_task or is_asked else silent_at_ms(touch, policy)


def silent_at_ms(touch: Touch, policy: Policy) -> int:
    """When a touch at a channel becomes `unknown` for want of a receipt (law 3)."""
    return touch.send_by_at_ms + policy.delivery.call_timeout_ms if touch.stage in AT_A_CHANNEL else NEVER_MS


def look_at_ms(touch: Touch | None, window: Window, cause: Cause | None, *, is_reachable: bool, now_ms: int) -> int:
    """When a step is next to be judged: its opening, unless its last verdict still holds until later.

    Args:
        touch: what happened to the step so far.
        window: where the step is placed now.
        cause: what forbids it now whatever the hour.
        is_reachable: whether its channel has an address.
        now_ms: once the window is closed, a touch that was suppressed stays so, whatever changes.
    """
    if touch is None:
        return window.opens_at_ms
    if touch.stage is not Stage.WAITING or _has_ended(touch, window, now_ms):
        return NEVER_MS
    if cause is not None:
        return _look_beside(touch, window, cause)
    if touch.reason is Reason.NO_USABLE_CONTACT and not is_reachable:
        return NEVER_MS
    waits = touch.verdict in _WAITS_FOR_ITS_HOUR
    return max(touch.next_look_at_ms, window.opens_at_ms) if waits else window.opens_at_ms


def _has_ended(touch: Touch, window: Window, now_ms: int) -> bool:
    return touch.verdict is Verdict.SUPPRESSED and now_ms >= window.closes_at_ms


def is_without_step(touch: Touch, windows: tuple[Window, ...]) -> bool:
    """Whether a touch waits, undecided, for a window that no policy gives it any more."""
    is_open = touch.stage is Stage.WAITING and touch.verdict in _UNFINISHED
    return is_open and not any(window.step.name == touch.step for window in windows)


def _look_beside(touch: Touch, window: Window, cause: Cause) -> int:
    if (touch.verdict, touch.reason) != cause:
        return window.opens_at_ms
    return max(touch.next_look_at_ms, window.opens_at_ms) if touch.next_look_at_ms else NEVER_MS


def retires_at_ms(term: Term, policy: Policy, zone: str) -> int:
    """When a term that is over shrinks to a stub: nothing of it can be sent, capped or fenced any more."""
    if term.facts is None:
        return NEVER_MS
    over_at_ms = end_of_day_ms(placeable(term.facts.expires_on), zone)
    last_ms = max((touch.send_by_at_ms for touch in term.touches), default=0)
    return max(over_at_ms, last_ms) + max(WEEK_MS, policy.caps.period_ms)


def _next_look_ms(state: CustomerState, term: Term, policies: Policies, zone: str, now_ms: int) -> int:
    found, channel = NEVER_MS, None
    cause, reachable = None, True
    assert term.facts is not None and policies.current is not None  # noqa: S101, PT018
    windows = place_windows(term.facts.expires_on, zone, policies.current)
    if any(is_without_step(touch, windows) for touch in term.touches):
        return now_ms
    for window in windows:
        if window.step.channel is not channel:
            channel = window.step.channel
            cause, reachable = _standing(state, term, channel, policies)
        look = look_at_ms(term.touch(window.step.name), window, cause, is_reachable=reachable, now_ms=now_ms)
        found = min(found, look)
    return found


def _standing(state: CustomerState, term: Term, channel: Channel, policies: Policies) -> tuple[Cause | None, bool]:
    return cause_against(state, term, channel, policies), is_reachable(state, channel)


def _tidying_ms(term: Term, policy: Policy, zone: str) -> int:
    stands = min((withdrawal.stands_until_ms for withdrawal in term.withdrawals), default=NEVER_MS)
    return min(stands, retires_at_ms(term, policy, zone))
