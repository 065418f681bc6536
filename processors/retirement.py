"""Terms that are over shrink to stubs, so that a customer's state stays bounded over the years."""

from msgspec.structs import replace

from processors.state import Stage, Term, TermFacts

_REMEMBERED = frozenset({Stage.SENT, Stage.UNKNOWN})


def retired(term: Term) -> Term:
    """The stub: version, dates, payments, and the steps that must never be sent again should the dates move."""
    touches = tuple(
        replace(touch, released_at_ms=0, send_by_at_ms=0) for touch in term.touches if touch.stage in _REMEMBERED
    )
    facts = term.facts
    stub = facts and TermFacts(
        version=facts.version,
        occurred_at_ms=facts.occurred_at_ms,
        starts_on=facts.starts_on,
        expires_on=facts.expires_on,
        status=facts.status,
        amount_minor=facts.amount_minor,
        currency=facts.currency,
    )
    return replace(term, facts=stub, touches=touches, withdrawals=(), is_retired=True)
