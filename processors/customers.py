"""Customers: the highest version of what the CRM knows wins."""

import msgspec

from processors.draft import Draft
from processors.state import CustomerFacts
from schemas.errors import InvalidRecord
from schemas.events import CustomerChanged

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
        draft.state = msgspec.structs.replace(draft.state, customer=facts)
        draft.review()  # zone and reachability concern every term


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
