"""Customers: the highest version of what the CRM knows wins."""

import msgspec
from msgspec.structs import replace

from processors.draft import Draft
from processors.receipts import window_of
from processors.state import CustomerFacts, Stage, Term, Touch
from schemas.errors import InvalidRecord
from schemas.events import CustomerChanged
from schemas.vocabulary import Reason

_encode = msgspec.msgpack.Encoder().encode


def take_customer(draft: Draft, record: CustomerChanged) -> None:
    """Take one version of a customer; an unknown zone is no reason to refuse, the policy's default serves (P7).

    Raises:
        InvalidRecord: the version is negative.
    """
    if record.version < 0:
        raise InvalidRecord(f"customer {record.customer_id}: version {record.version} is negative")
    known = draft.state.customer
    if draft.state.erasure is not None or (known is not None and record.version < known.version):
        return
    facts = _facts_of(record)
    if known is None or facts.version > known.version or _encode(facts) > _encode(known):
        draft.state = replace(draft.state, customer=facts)
        draft.review()  # zone and reachability concern every term
        for term in list(draft.terms()):
            _look_again(draft, term)


def _look_again(draft: Draft, term: Term) -> None:
    """Judge once more what a channel found no usable contact for, while its window is open: somebody did the task."""
    for touch in term.touches:
        if _lacked_a_contact(touch) and _is_open(draft, term, touch):
            known = draft.term(term.contract_id, term.term_id) or term
            draft.put(known.with_touch(replace(touch, stage=Stage.WAITING, owes_task=0)))


def _lacked_a_contact(touch: Touch) -> bool:
    return touch.stage is Stage.CLOSED and touch.reason is Reason.NO_USABLE_CONTACT


def _is_open(draft: Draft, term: Term, touch: Touch) -> bool:
    window = window_of(draft, term, touch.step)
    return window is not None and not term.is_retired and draft.now_ms < window.closes_at_ms


def _facts_of(record: CustomerChanged) -> CustomerFacts:
    return CustomerFacts(
        version=record.version,
        occurred_at_ms=record.occurred_at_ms,
        customer_tier=record.customer_tier,
        segment=record.segment,
        zone=record.zone,
        country=record.country,
        region=record.region,
        locale=record.locale,
        account_manager_id=record.account_manager_id,
        preferred_channel=record.preferred_channel,
        reachable=tuple(sorted(set(record.reachable))),
        attributes=tuple(sorted(record.attributes.items())),
    )
