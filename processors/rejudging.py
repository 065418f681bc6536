"""After a new policy, a stop, a start or new zone data: every alarm is found anew, nothing is emitted (I8)."""

from msgspec.structs import replace

from processors.alarms import placement
from processors.draft import Draft
from processors.state import Stage, Term, Touch
from processors.windows import place_windows
from schemas.vocabulary import Verdict


def rejudge(draft: Draft) -> None:
    """Find the customer's alarm anew; steps that the new policy places in the past were never open to us.

    What was moved to an opening is looked at again at the next tick: that opening may have moved itself.
    """
    draft.review()
    for known in list(draft.terms()):
        term = known
        if _has_new_steps_in_the_past(draft, term):
            term = replace(term, placed_at_ms=draft.now_ms)
        for touch in term.touches:
            if touch.verdict is Verdict.MOVED and touch.next_look_at_ms:
                term = term.with_touch(replace(touch, next_look_at_ms=0))
        if term is not known:
            draft.put(term)


def _has_new_steps_in_the_past(draft: Draft, term: Term) -> bool:
    policy = draft.policies.current
    if policy is None or term.facts is None or term.is_retired or not term.placed_for:
        return False
    if term.alarm_at_ms is not None and term.alarm_at_ms <= draft.now_ms:
        return False  # what has closed was open, and is about to be judged
    zone = draft.zone()
    return term.placed_for == placement(term.facts.expires_on, zone) and any(
        window.closes_at_ms <= draft.now_ms and _is_new(term.touch(window.step.name))
        for window in place_windows(term.facts.expires_on, zone, policy)
    )


def _is_new(touch: Touch | None) -> bool:
    """Whether a step was in no policy until now, or was ended because an earlier one had removed it."""
    return touch is None or (touch.stage is Stage.WAITING and touch.verdict is Verdict.SKIPPED)
