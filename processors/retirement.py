"""Terms that are over shrink to stubs, so that a customer's state stays bounded over the years."""

from msgspec.structs import replace

from processors.state import Term, TermFacts


def retired(term: Term) -> Term:
    """The stub: version, dates, payments, and what became of each step, which stays so should the term be corrected."""
    touches = tuple(replace(touch, released_at_ms=0, send_by_at_ms=0, next_look_at_ms=0) for touch in term.touches)
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
