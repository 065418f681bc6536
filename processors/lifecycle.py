"""Contracts: versions of terms, and the withdrawal of what is out when the facts it carries change (law 2, law 3)."""

import msgspec
from msgspec.structs import replace

from processors.draft import Draft, revised
from processors.erasure import decide_erased_term
from processors.retry import FENCE_STANDS_MS
from processors.state import Stage, Term, TermFacts, Touch, Withdrawal
from processors.suppression import ENDED
from schemas.errors import InvalidRecord
from schemas.events import ContractChanged
from schemas.vocabulary import BillingCycle, ContractStatus, ProductType, Reason, Verdict

_encode = msgspec.msgpack.Encoder().encode


def take_contract(draft: Draft, record: ContractChanged) -> None:
    """Take one version of a term; the highest one known wins, so a late copy of an older one changes nothing.

    Raises:
        InvalidRecord: no contract is named, it expires before it starts, or its status cannot be read.
    """
    _check(record)
    term = draft.term(record.contract_id, record.term)
    if term is not None and term.facts is not None and record.version < term.facts.version:
        return
    facts = _facts_of(record)
    if draft.state.erasure is not None:
        decide_erased_term(draft, Term(contract_id=record.contract_id, term_id=record.term, facts=facts))
        return
    if term is None:
        term = Term(contract_id=record.contract_id, term_id=record.term)
    if term.facts is None:
        draft.put(replace(term, facts=facts))
    elif _is_newer(facts, term):
        changed = _bound(facts) != _bound(term.facts)
        term = replace(term, facts=facts, is_retired=False)
        draft.put(_withdrawn(draft, term) if changed else term)


def withdraw(draft: Draft, term: Term, touch: Touch, reason: Reason) -> Term:
    """Fence a released touch; its next revision waits for the channel's report that it did not send."""
    touch = replace(revised(touch, Verdict.WITHDRAWN, reason), stage=Stage.WITHDRAWN)
    draft.decide(term, touch)
    withdrawal = Withdrawal(
        step=touch.step,
        channel=touch.channel,
        revision=touch.revision,
        stands_until_ms=touch.send_by_at_ms + FENCE_STANDS_MS,
    )
    return replace(term, withdrawals=(*term.withdrawals, withdrawal)).with_touch(touch)


def is_withdrawn(term: Term, touch: Touch) -> bool:
    """Whether this revision of the touch has been fenced for good."""
    return any(gone.step == touch.step and gone.revision == touch.revision for gone in term.withdrawals)


def _withdrawn(draft: Draft, term: Term) -> Term:
    assert term.facts is not None  # noqa: S101  it was just set
    ended = ENDED.get(term.facts.status)
    for touch in term.touches:
        if touch.stage is Stage.OUT:
            term = withdraw(draft, term, touch, ended.reason if ended else Reason.FACTS_CHANGED)
    return term


def _is_newer(facts: TermFacts, term: Term) -> bool:
    known = term.facts
    if known is None or facts.version > known.version:
        return True
    # one version with two contents: the same one must win in every order; a stub no longer knows its content
    return not term.is_retired and _encode(facts) > _encode(known)


def _bound(facts: TermFacts) -> TermFacts:
    """What a message, or the right to send it, depends on."""
    return replace(
        facts,
        version=0,
        occurred_at_ms=0,
        product_type=ProductType.UNSPECIFIED,
        billing_cycle=BillingCycle.UNSPECIFIED,
        auto_renews=False,
        superseded_by="",
    )


def _facts_of(record: ContractChanged) -> TermFacts:
    return TermFacts(
        version=record.version,
        occurred_at_ms=record.occurred_at_ms,
        starts_on=record.starts_on,
        expires_on=record.expires_on,
        status=record.status,
        product_name=record.product_name,
        product_edition=record.product_edition,
        product_type=record.product_type,
        billing_cycle=record.billing_cycle,
        amount_minor=record.amount_minor,
        currency=record.currency,
        modules=record.modules,
        seats=record.seats,
        discount_basis_points=record.discount_basis_points,
        auto_renews=record.auto_renews,
        special_terms=record.special_terms,
        renewal_link=record.renewal_link,
        superseded_by=record.superseded_by,
        attributes=tuple(sorted(record.attributes.items())),
    )


def _check(record: ContractChanged) -> None:
    if not record.contract_id or record.version < 0:
        raise InvalidRecord(f"contract {record.contract_id!r} has no id or version: correct it in the CRM")
    if record.expires_on < record.starts_on:
        raise InvalidRecord(
            f"contract {record.contract_id}: it expires on {record.expires_on}, before it starts on "
            f"{record.starts_on}: correct the dates in the CRM"
        )
    if record.status is ContractStatus.UNSPECIFIED:
        raise InvalidRecord(f"contract {record.contract_id}: its status cannot be read by this release")
