"""A wake: judge everything that is due at one instant, the most urgent touch first, each seeing the earlier ones."""

from typing import NamedTuple

from msgspec.structs import replace

from processors.alarms import is_without_step, look_at_ms, placement, retires_at_ms, silent_at_ms, touch_alarm_ms
from processors.compensation import answer_wish
from processors.draft import Draft, revised
from processors.judging import Case, judge
from processors.policy import Policy
from processors.receipts import give_up, window_of
from processors.release import release
from processors.retirement import retired
from processors.state import Stage, Term, Touch
from processors.suppression import cause_against, is_reachable
from processors.tasks import open_owed_task
from processors.windows import Window, place_windows
from schemas.identity import StepName
from schemas.vocabulary import Reason, Verdict

_DATES_MAY_UNDO = frozenset({Verdict.EXPIRED, Verdict.SKIPPED, Verdict.SUPPRESSED})


class _Due(NamedTuple):
    days: int
    closes_at_ms: int
    contract_id: str
    term_id: str
    window: Window


def wake(draft: Draft) -> None:
    """Judge every touch of a customer that is due; waking twice at one instant changes nothing."""
    policy = draft.policies.current
    if policy is None:
        return
    woken = [term for term in draft.terms() if term.alarm_at_ms is not None and term.alarm_at_ms <= draft.now_ms]
    due = [found for term in woken for found in _prepare(draft, term, policy)]
    for found in sorted(due):
        _judge_one(draft, policy, found)
    for term in woken:
        _tidy(draft, term, policy)


def _prepare(draft: Draft, before: Term, policy: Policy) -> list[_Due]:
    """Settle what has nothing to do with a window, and list the steps to judge."""
    term = before
    for touch in before.touches:
        if touch_alarm_ms(touch, policy) <= draft.now_ms:
            term = _attend(draft, term, touch, policy)
    draft.put(term)
    if term.facts is None or term.is_retired or draft.state.erasure is not None:
        return []
    zone = draft.zone()
    windows = place_windows(term.facts.expires_on, zone, policy)
    if term.placed_for != placement(term.facts.expires_on, zone):
        term = _placed(draft, term, windows, placement(term.facts.expires_on, zone))
    draft.put(_without_removed_steps(draft, term, windows))
    return [
        _Due(window.step.days, window.closes_at_ms, term.contract_id, term.term_id, window)
        for window in windows
        if _is_due(draft, term, window)
    ]


def _attend(draft: Draft, term: Term, touch: Touch, policy: Policy) -> Term:
    window = window_of(draft, term, touch.step)
    if silent_at_ms(touch, policy) <= draft.now_ms:
        touch = replace(revised(touch, Verdict.UNKNOWN, Reason.NO_RECEIPT), stage=Stage.UNKNOWN)
        draft.decide(term, touch, window=window[1:] if window else (0, 0))
    if touch.owes_task:
        touch = open_owed_task(draft, term, touch)
    if touch.asked_at_ms > touch.answered_at_ms:
        touch = answer_wish(draft, term, touch, window)
    return term.with_touch(touch)


def _placed(draft: Draft, term: Term, windows: tuple[Window, ...], placed_for: str) -> Term:
    """Note the tick that first looks at these windows; what only the old dates had closed is open again."""
    term = replace(term, placed_for=placed_for, placed_at_ms=draft.now_ms)
    for window in windows:
        touch = term.touch(window.step.name)
        is_undone = touch is not None and touch.stage is Stage.CLOSED and touch.verdict in _DATES_MAY_UNDO
        is_moved = touch is not None and touch.stage is Stage.WAITING and touch.verdict is Verdict.MOVED
        if touch is not None and (is_moved or (is_undone and window.closes_at_ms > draft.now_ms)):
            term = term.with_touch(replace(touch, stage=Stage.WAITING, next_look_at_ms=0))
    return term


def _without_removed_steps(draft: Draft, term: Term, windows: tuple[Window, ...]) -> Term:
    """End what waited for a window when a policy removed its step; should the step come back, it is judged again."""
    for touch in term.touches:
        if is_without_step(touch, windows):
            ended = revised(touch, Verdict.SKIPPED, Reason.LATE)
            draft.decide(term, ended)
            term = term.with_touch(ended)
    return term


def _is_due(draft: Draft, term: Term, window: Window) -> bool:
    channel = window.step.channel
    cause = cause_against(draft.state, term, channel, draft.policies)
    touch = term.touch(window.step.name)
    look_ms = look_at_ms(touch, window, cause, is_reachable=is_reachable(draft.state, channel), now_ms=draft.now_ms)
    return look_ms <= draft.now_ms


def _judge_one(draft: Draft, policy: Policy, due: _Due) -> None:
    term, step = draft.term(due.contract_id, due.term_id), due.window.step
    assert term is not None  # noqa: S101  it was listed a moment ago
    known = term.touch(step.name)
    touch = known or Touch(step=StepName(step.name), channel=step.channel)
    cause = cause_against(draft.state, term, step.channel, draft.policies)
    judged = judge(
        Case(draft=draft, policy=policy, zone=draft.zone(), term=term, window=due.window, touch=touch, cause=cause)
    )
    if judged.verdict is Verdict.DEAD_LETTERED:
        give_up(draft, term, touch, judged.reason, "the channel refuses without end")
    else:
        _carry_out(draft, term, due.window, touch, judged)


def _carry_out(draft: Draft, term: Term, window: Window, before: Touch, judged: Touch) -> None:
    if judged.verdict is Verdict.RELEASED:
        judged = release(draft, term, window, judged)
    if (judged.verdict, judged.reason) != (before.verdict, before.reason):
        draft.decide(term, judged, window=window[1:])
    if judged.owes_task:
        judged = open_owed_task(draft, term, judged)
    draft.put(term.with_touch(judged))


def _tidy(draft: Draft, woken: Term, policy: Policy) -> None:
    term = draft.term(woken.contract_id, woken.term_id) or woken
    if not term.is_retired and retires_at_ms(term, policy, draft.zone()) <= draft.now_ms:
        draft.put(retired(term))
        return
    standing = tuple(gone for gone in term.withdrawals if gone.stands_until_ms > draft.now_ms)
    if len(standing) < len(term.withdrawals):
        draft.put(replace(term, withdrawals=standing))
