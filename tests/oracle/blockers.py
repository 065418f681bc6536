"""Everything that forbids a touch, each as intervals of domain time with the fact that raised it."""

from collections.abc import Callable, Iterable

from schemas.events import ContractChanged, CustomerChanged, PaymentRecorded, RequestMade
from schemas.vocabulary import Channel, ContractStatus, PaymentKind, RequestKind
from tests.oracle.facts import Fact, Span, span_from
from tests.oracle.timeline import NEVER_MS

EMAIL = Channel.EMAIL
_ENDED = {
    ContractStatus.CANCELLED: "contract_ended",
    ContractStatus.SUPERSEDED: "contract_superseded",
    ContractStatus.TRANSFERRED: "contract_transferred",
}
_RAISED_BY = {
    "unsubscribed": (RequestKind.OPTED_OUT, RequestKind.OPTED_IN),
    "no_consent": (RequestKind.CONSENT_WITHDRAWN, RequestKind.CONSENT_GIVEN),
    "stopped": (RequestKind.STOP, RequestKind.START),
}


def requested(kind: str, requests: Iterable[Fact], channel: Channel = EMAIL) -> tuple[Span, ...]:
    """Intervals of an opt-out, a withdrawn consent or an operator's stop, for all channels and for this one."""
    raising, lifting = _RAISED_BY[kind]
    wanted = [fact for fact in requests if isinstance(fact.record, RequestMade)]
    return tuple(
        span
        for scope in (Channel.UNSPECIFIED, channel)
        for span in _switched(kind, wanted, _newest_of(scope, raising, lifting))
    )


def erased(requests: Iterable[Fact]) -> tuple[Span, ...]:
    """From the erasure on, for ever."""
    first = [f for f in requests if isinstance(f.record, RequestMade) and f.record.kind is RequestKind.ERASURE]
    return tuple(span_from("erased", fact) for fact in first[:1])


def unreachable(customers: Iterable[Fact], channel: Channel = EMAIL) -> tuple[Span, ...]:
    """Intervals in which the newest customer record does not offer this channel."""
    newest = -1

    def is_unreachable(fact: Fact) -> bool | None:
        nonlocal newest
        record = fact.record
        if not isinstance(record, CustomerChanged) or record.version <= newest:
            return None
        newest = record.version
        return channel not in record.reachable

    return _switched("no_usable_contact", customers, is_unreachable)


def paid(payments: Iterable[Fact]) -> tuple[Span, ...]:
    """Intervals in which a term is settled: the highest version of one of its payments says paid."""
    latest: dict[str, PaymentRecorded] = {}

    def is_settled(fact: Fact) -> bool | None:
        record = fact.record
        if not isinstance(record, PaymentRecorded):
            return None
        known = latest.get(record.payment_id)
        if known is not None and known.version >= record.version:
            return None
        latest[record.payment_id] = record
        return any(payment.kind is PaymentKind.PAID for payment in latest.values())

    return _switched("paid", payments, is_settled)


def paid_in_parts(payments: Iterable[Fact], amount_minor: int) -> tuple[Span, ...]:
    """From the partial payment on that makes the sum whole it is open whether a term counts as settled."""
    parts: dict[str, int] = {}
    for fact in payments:
        record = fact.record
        if isinstance(record, PaymentRecorded) and record.kind is PaymentKind.PARTIAL:
            parts[record.payment_id] = record.amount_minor
            if amount_minor and sum(parts.values()) >= amount_minor:
                return (_only_possible("paid", fact),)
    return ()


def ended(versions: Iterable[Fact]) -> tuple[Span, ...]:
    """Intervals in which the newest version of a term says cancelled, superseded or transferred."""
    spans: list[Span] = []
    for status, kind in _ENDED.items():
        newest = -1

        def is_ended(fact: Fact, status: ContractStatus = status) -> bool | None:
            nonlocal newest
            record = fact.record
            if not isinstance(record, ContractChanged) or record.version <= newest:
                return None
            newest = record.version
            return record.status is status

        spans += _switched(kind, versions, is_ended)
    return tuple(spans)


def _newest_of(scope: Channel, raising: RequestKind, lifting: RequestKind) -> Callable[[Fact], bool | None]:
    newest_ms = -1

    def is_raised(fact: Fact) -> bool | None:
        nonlocal newest_ms
        record = fact.record
        if not isinstance(record, RequestMade) or record.channel is not scope:
            return None
        if record.kind not in {raising, lifting} or record.occurred_at_ms < newest_ms:
            return None
        newest_ms = record.occurred_at_ms
        return record.kind is raising

    return is_raised


def _switched(kind: str, facts: Iterable[Fact], verdict: Callable[[Fact], bool | None]) -> tuple[Span, ...]:
    """Turn facts in order into intervals; a verdict of None leaves things as they are."""
    spans: list[Span] = []
    is_open = False
    for fact in facts:
        says = verdict(fact)
        if says is None or says is is_open:
            continue
        if says:
            spans.append(span_from(kind, fact))
        else:
            spans[-1] = spans[-1].ended_by(fact)
        is_open = says
    return tuple(spans)


def _only_possible(kind: str, fact: Fact) -> Span:
    return Span(
        kind=kind,
        certain_from_ms=NEVER_MS,
        possible_from_ms=fact.possible_ms,
        raised_at_ms=fact.appended_at_ms,
        raised=(fact.topic, fact.offset),
    )
