"""Judging one due touch by law 5: its causes in order, the first that applies decides."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from processors.caps import is_capped
from processors.draft import Draft, revised
from processors.policy import Policy
from processors.retry import MOST_ATTEMPTS
from processors.state import Stage, Term, Touch
from processors.suppression import STOPPED, Cause, is_reachable
from processors.windows import Window, hours_end_ms, is_working_day, next_opening_ms, opening_after_today_ms
from schemas.vocabulary import Reason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One due touch and all that its judgement looks at; the draft shows what the same wake released before."""

    draft: Draft
    policy: Policy
    zone: str
    term: Term
    window: Window
    touch: Touch
    cause: Cause | None


def judge(case: Case) -> Touch:
    """Say what becomes of a touch whose window has opened; to carry out `released` is the caller's."""
    for rule in LAW_5:
        judged = rule(case)
        if judged is not None:
            return judged
    return revised(case.touch, Verdict.RELEASED, Reason.DUE)


def _by_cause(case: Case) -> Touch | None:
    if case.cause is None:
        return None
    if case.cause != STOPPED:
        return revised(case.touch, *case.cause)
    if case.draft.now_ms >= case.window.closes_at_ms:
        return _over(case, Reason.STOPPED)
    return revised(case.touch, *STOPPED, next_look_at_ms=_look_again_ms(case))


def _by_window(case: Case) -> Touch | None:
    is_over = case.draft.now_ms >= case.window.closes_at_ms or _is_empty(case.window)
    return _over(case, Reason.WINDOW_CLOSED) if is_over else None


def _by_cap(case: Case) -> Touch | None:
    own = (case.term.contract_id, case.term.term_id, case.touch.step)
    if not is_capped(case.draft.terms(), own, case.draft.now_ms, case.zone, case.policy.caps):
        return None
    look_ms = opening_after_today_ms(case.draft.now_ms, case.zone, case.policy.send_hours)
    if look_ms < case.window.closes_at_ms:  # moved, never dropped while there is room (P18)
        return revised(case.touch, Verdict.MOVED, Reason.FREQUENCY_CAP, next_look_at_ms=look_ms)
    return _closed(case.touch, Verdict.SUPPRESSED, Reason.FREQUENCY_CAP)


def _by_hours(case: Case) -> Touch | None:
    now_ms, hours = case.draft.now_ms, case.policy.send_hours
    if hours_end_ms(now_ms, case.zone, hours) is not None:
        return None
    look_ms = next_opening_ms(now_ms, case.zone, hours)
    if look_ms >= case.window.closes_at_ms:
        return _closed(case.touch, Verdict.EXPIRED, Reason.WINDOW_CLOSED)
    reason = Reason.QUIET_HOURS if is_working_day(now_ms, case.zone, hours) else Reason.NOT_A_WORKING_DAY
    return revised(case.touch, Verdict.MOVED, reason, next_look_at_ms=look_ms)


def _by_contact(case: Case) -> Touch | None:
    if is_reachable(case.draft.state, case.touch.channel):
        return None
    return replace(revised(case.touch, Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT), owes_task=1)


def _by_attempts(case: Case) -> Touch | None:
    if case.touch.attempt < MOST_ATTEMPTS:
        return None
    return _closed(case.touch, Verdict.DEAD_LETTERED, Reason.RETRIES_EXHAUSTED)


LAW_5: tuple[Callable[[Case], Touch | None], ...] = (
    _by_cause,
    _by_window,
    _by_cap,
    _by_hours,
    _by_contact,
    _by_attempts,
)


def _look_again_ms(case: Case) -> int:
    now_ms, hours = case.draft.now_ms, case.policy.send_hours
    is_open = hours_end_ms(now_ms, case.zone, hours) is not None
    look_ms = now_ms + case.policy.delivery.look_again_ms if is_open else next_opening_ms(now_ms, case.zone, hours)
    return min(look_ms, case.window.closes_at_ms)


def _over(case: Case, reason: Reason) -> Touch:
    was_open_to_us = not _is_empty(case.window) and case.window.closes_at_ms > case.term.placed_at_ms
    if was_open_to_us:
        return _closed(case.touch, Verdict.EXPIRED, reason)
    return _closed(case.touch, Verdict.SKIPPED, Reason.LATE)


def _is_empty(window: Window) -> bool:
    return window.opens_at_ms >= window.closes_at_ms  # the more urgent step opens at the same time


def _closed(touch: Touch, verdict: Verdict, reason: Reason) -> Touch:
    return replace(revised(touch, verdict, reason), stage=Stage.CLOSED)
