"""Erasure: of an erased customer only a stub stays, and what is still out at a channel (law 7).

Every touch not yet decided is decided here, once, because nothing will be left to wake for it; digests of the terms
keep a copy of a contract that arrives later from being decided again.
"""

import hashlib

from msgspec.structs import replace

from processors.draft import Draft
from processors.state import AT_A_CHANNEL, CustomerState, Erasure, Stage, Term, Touch
from processors.suppression import ERASED
from processors.windows import Window, place_windows
from schemas.identity import StepName

DIGEST_BYTES = 8


def erase(draft: Draft, occurred_at_ms: int) -> None:
    """Forget everything about this customer but the fact; a second request only keeps the later instant."""
    state = draft.state
    if state.erasure is not None:
        later_ms = max(state.erasure.occurred_at_ms, occurred_at_ms)
        draft.state = replace(state, erasure=replace(state.erasure, occurred_at_ms=later_ms))
        return
    terms = list(draft.terms())
    zoned = draft.state
    decided = tuple(sorted(_digest(draft, term) for term in terms if _decide(draft, term)))
    erasure = Erasure(occurred_at_ms=occurred_at_ms, decided=decided)
    draft.state = CustomerState(customer_id=zoned.customer_id, hold=zoned.hold, erasure=erasure)
    for term in terms:
        draft.put(_still_out(term))


def decide_erased_term(draft: Draft, term: Term) -> None:
    """Decide the touches of a term that arrives after the erasure, unless they were decided already."""
    erasure = draft.state.erasure
    digest = _digest(draft, term)
    if erasure is None or digest in erasure.decided or not _decide(draft, term):
        return
    draft.state = replace(draft.state, erasure=replace(erasure, decided=tuple(sorted({*erasure.decided, digest}))))


def is_forgotten(term: Term) -> bool:
    """Whether nothing of an erased customer's term is still at a channel."""
    return not any(touch.stage in AT_A_CHANNEL for touch in term.touches)


def _decide(draft: Draft, term: Term) -> bool:
    """Decide what is undecided of a term; False when nothing can be said yet, for want of facts or of a policy."""
    policy = draft.policies.current
    if term.is_retired:
        return True
    if policy is None or term.facts is None:
        return False
    for window in place_windows(term.facts.expires_on, draft.zone(), policy):
        touch = term.touch(window.step.name)
        if touch is None or touch.stage is Stage.WAITING:
            draft.decide(term, _erased(touch, window), window=window[1:])
    return True


def _erased(touch: Touch | None, window: Window) -> Touch:
    touch = touch or Touch(step=StepName(window.step.name), channel=window.step.channel)
    return replace(touch, verdict=ERASED.verdict, reason=ERASED.reason, next_look_at_ms=0)


def _still_out(term: Term) -> Term:
    touches = tuple(touch for touch in term.touches if touch.stage in AT_A_CHANNEL)
    facts = term.facts and replace(
        term.facts, product_name="", product_edition="", special_terms="", renewal_link="", attributes=()
    )
    return replace(term, facts=facts, touches=touches, alarm_at_ms=None)


def _digest(draft: Draft, term: Term) -> str:
    name = f"{draft.state.customer_id}|{term.contract_id}|{term.term_id}"
    return hashlib.blake2b(name.encode(), digest_size=DIGEST_BYTES).hexdigest()
