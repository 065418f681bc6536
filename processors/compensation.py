"""Answering an operator who asks for lost touches again: reopened or declined, each with its reason (law 6)."""

from msgspec.structs import replace

from processors.draft import Draft, revised
from processors.state import Stage, Term, Touch
from processors.suppression import cause_against
from processors.windows import Window
from schemas.vocabulary import Reason, Verdict


def answer_wish(draft: Draft, term: Term, touch: Touch, window: Window | None) -> Touch:
    """Reopen a touch that was given up or ran out of time, if its window allows; else say why not.

    A touch nobody knows the outcome of is declined: only a definite refusal opens another attempt, and when the
    channel reports one, the touch is judged again by itself.
    """
    answered = replace(touch, answered_at_ms=touch.asked_at_ms)
    bounds = window[1:] if window is not None else (0, 0)
    reason = _refusal(draft, term, touch, window)
    if reason is not None:
        draft.answer(term, touch, Verdict.DECLINED, reason, window=bounds)
        return answered
    reopened = replace(revised(answered, Verdict.REOPENED, Reason.OPERATOR_REQUEST), stage=Stage.WAITING, failures=0)
    draft.decide(term, reopened, window=bounds)
    return reopened


def _refusal(draft: Draft, term: Term, touch: Touch, window: Window | None) -> Reason | None:
    if touch.stage is Stage.SENT:
        return Reason.ALREADY_SENT
    if touch.stage is Stage.UNKNOWN:
        return touch.reason
    cause = cause_against(draft.state, term, touch.channel, draft.policies)
    if cause is not None:
        return cause.reason
    if touch.stage is not Stage.CLOSED:
        return Reason.DUPLICATE
    if window is None or draft.now_ms >= window.closes_at_ms or window.opens_at_ms >= window.closes_at_ms:
        return Reason.WINDOW_CLOSED
    return None
