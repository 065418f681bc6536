"""Which fences stand, as a function of the state: what a step raises and lifts is the difference (law 3, law 4)."""

from typing import NamedTuple

from processors.draft import Draft, key_of
from processors.payments import is_settled
from processors.state import CustomerState, Term
from schemas.identity import (
    ANY_CHANNEL,
    FenceKey,
    erased_fence,
    hold_fence,
    opted_out_fence,
    paid_fence,
    withdrawn_fence,
)
from schemas.outputs import FenceRaised
from schemas.vocabulary import Channel, FenceKind

Fences = dict[FenceKey, FenceRaised]


def changed_fences(draft: Draft, after: CustomerState) -> tuple[tuple[FenceRaised, ...], tuple[FenceKey, ...]]:
    """The fences to raise and the keys to lift; nothing stands twice."""
    before = _customer_fences(draft.before, draft.now_ms)
    now = _customer_fences(after, draft.now_ms)
    if draft.changed:
        before |= _changed_terms_fences(draft, draft.before)
        now |= _changed_terms_fences(draft, after)
    raised = tuple(fence for key, fence in now.items() if key not in before)
    return raised, tuple(key for key in before if key not in now)


def _changed_terms_fences(draft: Draft, state: CustomerState) -> Fences:
    fences: Fences = {}
    for term in state.terms:
        if (term.contract_id, term.term_id) in draft.changed:
            fences |= _term_fences(state, term, draft.now_ms)
    return fences


def _customer_fences(state: CustomerState, now_ms: int) -> Fences:
    fences: Fences = {}
    raise_ = _Raiser(fences, state.customer_id, now_ms)
    for wish in state.permissions:
        if not wish.is_given:
            scope = ANY_CHANNEL if wish.channel is Channel.UNSPECIFIED else wish.channel.value
            raise_(opted_out_fence(state.customer_id, scope), FenceKind.OPTED_OUT, channel=wish.channel)
    if state.hold:
        raise_(hold_fence(state.customer_id), FenceKind.HOLD, cause=state.hold)
    if state.erasure is not None:
        raise_(erased_fence(state.customer_id), FenceKind.ERASED)
    return fences


def _term_fences(state: CustomerState, term: Term, now_ms: int) -> Fences:
    fences: Fences = {}
    raise_ = _Raiser(fences, state.customer_id, now_ms)
    is_over = term.is_retired or term.facts is None  # of a term without facts nothing ever left
    if is_settled(term) and not is_over:
        raise_(paid_fence(state.customer_id, term.contract_id, term.term_id), FenceKind.PAID, term=term)
    for gone in term.withdrawals:
        touch = key_of(term, gone.step, gone.channel, gone.revision)
        raise_(withdrawn_fence(touch), FenceKind.WITHDRAWN, channel=gone.channel, term=term, touch=touch)
    return fences


class _Raiser(NamedTuple):
    """Collects fences of one customer."""

    fences: Fences
    customer_id: str
    now_ms: int

    def __call__(
        self,
        key: FenceKey,
        kind: FenceKind,
        *,
        channel: Channel = Channel.UNSPECIFIED,
        term: Term | None = None,
        touch: str = "",
        cause: str = "",
    ) -> None:
        self.fences[key] = FenceRaised(
            fence_key=key,
            kind=kind,
            raised_at_ms=self.now_ms,
            customer_id=self.customer_id,
            contract_id=term.contract_id if term else "",
            term_id=term.term_id if term else "",
            touch_key=touch,
            channel=channel,
            cause=cause,
        )
