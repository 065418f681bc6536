"""Facts of one customer in the order in which the core must come to know them, quarantines unrolled."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from schemas import topics
from schemas.errors import Refused
from schemas.events import ContractChanged, CustomerChanged, PaymentRecorded, RequestMade
from schemas.vocabulary import PaymentKind, RequestKind
from tests.oracle.bundle import Decode, Logged
from tests.oracle.timeline import NEVER_MS, Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One applied input: certain from the first tick that covers it, possible from the first that may have seen it."""

    record: msgspec.Struct
    topic: str
    offset: int
    appended_at_ms: int
    certain_ms: int
    possible_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An interval with soft ends: it surely holds from certain_from to certain_to, possibly from possible_from on."""

    kind: str
    certain_from_ms: int
    possible_from_ms: int
    raised_at_ms: int
    raised: tuple[str, int]
    certain_to_ms: int = NEVER_MS
    possible_to_ms: int = NEVER_MS
    lifted_at_ms: int = NEVER_MS

    def ended_by(self, fact: Fact) -> "Span":
        """Close the interval by the fact that lifts it."""
        return replace(
            self,
            certain_to_ms=fact.possible_ms,
            possible_to_ms=fact.certain_ms,
            lifted_at_ms=fact.appended_at_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrolled:
    """What a customer's inputs amount to: facts in order and the spans in which it was quarantined."""

    facts: tuple[Fact, ...]
    quarantines: tuple[Span, ...]


def unroll(logged: Iterable[Logged], timeline: Timeline, decode: Mapping[str, Decode]) -> Unrolled:
    """Apply a customer's inputs in order of append; from a refused record on they are kept until it is mended."""
    unroller = _Unroller(timeline, decode)
    for one in sorted(logged, key=lambda one: (one.appended_at_ms, one.topic, one.offset)):
        unroller.take(one)
    return unroller.result()


def span_from(kind: str, fact: Fact) -> Span:
    """Open an interval at a fact."""
    return Span(
        kind=kind,
        certain_from_ms=fact.certain_ms,
        possible_from_ms=fact.possible_ms,
        raised_at_ms=fact.appended_at_ms,
        raised=(fact.topic, fact.offset),
    )


def breach(record: msgspec.Struct, key: bytes | None) -> str:
    """Say which rule the content of an input breaks; empty when it can be applied."""
    customer_id = getattr(record, "customer_id", "")
    if not customer_id or key is None or key != customer_id.encode("utf-8", "replace"):
        return "the key is not the customer inside"
    match record:
        case ContractChanged():
            return _contract_breach(record)
        case PaymentRecorded():
            named = record.contract_id and record.term_id and record.payment_id
            return "" if named and record.kind is not PaymentKind.UNSPECIFIED else "a payment of nothing"
        case CustomerChanged():
            return "" if record.version >= 0 else "a negative version"
    return ""


def _contract_breach(record: ContractChanged) -> str:
    if not record.contract_id:
        return "a contract without an id"
    if record.expires_on < record.starts_on:
        return "it expires before it starts"
    return "" if record.version >= 0 else "a negative version"


class _Unroller:
    """Memory of one pass over a customer's inputs."""

    def __init__(self, timeline: Timeline, decode: Mapping[str, Decode]) -> None:
        self._timeline, self._decode = timeline, decode
        self._facts: list[Fact] = []
        self._spans: list[Span] = []
        self._kept: list[tuple[Logged, Fact | None]] = []

    def take(self, logged: Logged) -> None:
        """Apply, refuse or keep one input."""
        fact, why = self._fact(logged)
        if self._kept:
            if isinstance(logged.record, RequestMade) and logged.record.kind is RequestKind.QUARANTINE_RELEASE:
                self._release(logged.record, self._as_fact(logged, logged.record))
            else:
                self._kept.append((logged, fact))
        elif fact is not None:
            self._facts.append(fact)
        elif why and logged.topic in topics.HOLDING:
            self._hold(logged)

    def result(self) -> Unrolled:
        """Hand over what was found."""
        ordered = sorted(self._facts, key=lambda fact: (fact.certain_ms, fact.appended_at_ms, fact.topic, fact.offset))
        return Unrolled(facts=tuple(ordered), quarantines=tuple(self._spans))

    def _fact(self, logged: Logged) -> tuple[Fact | None, str]:
        if logged.record is None:
            return None, logged.refused
        why = breach(logged.record, logged.key)
        return (None, why) if why else (self._as_fact(logged, logged.record), "")

    def _as_fact(self, logged: Logged, record: msgspec.Struct) -> Fact:
        return Fact(
            record=record,
            topic=logged.topic,
            offset=logged.offset,
            appended_at_ms=logged.appended_at_ms,
            certain_ms=self._timeline.certain_ms(logged.topic, logged.offset),
            possible_ms=self._timeline.possible_ms(logged.appended_at_ms),
        )

    def _hold(self, logged: Logged) -> None:
        self._kept = [(logged, None)]
        self._spans.append(span_from("quarantined", self._as_fact(logged, msgspec.Struct())))

    def _release(self, request: RequestMade, release: Fact) -> None:
        """Mend the first kept record and apply the rest in order, until the next one that cannot be applied."""
        first, *rest = self._kept
        mended = list(self._mended(first[0], request))
        if not mended and not request.is_drop:
            return
        self._kept = []
        self._spans[-1] = self._spans[-1].ended_by(release)
        for logged in [*mended, *(logged for logged, _ in rest)]:
            self._reapply(logged, release)

    def _reapply(self, logged: Logged, release: Fact) -> None:
        fact, why = self._fact(logged)
        if self._kept:
            self._kept.append((logged, fact))
        elif fact is not None:
            self._facts.append(
                replace(
                    fact,
                    certain_ms=max(fact.certain_ms, release.certain_ms),
                    possible_ms=max(fact.possible_ms, release.possible_ms),
                    appended_at_ms=max(fact.appended_at_ms, release.appended_at_ms),
                )
            )
        elif why and logged.topic in topics.HOLDING:
            self._kept = [(logged, None)]
            self._spans.append(span_from("quarantined", release))

    def _mended(self, refused: Logged, request: RequestMade) -> Iterator[Logged]:
        if request.is_drop or not request.replacement:
            return
        topic = request.replacement_topic or refused.topic
        try:
            record = self._decode[topic](request.replacement)
        except (Refused, KeyError):
            return
        if not breach(record, refused.key):
            yield refused._replace(topic=topic, record=record, refused="")
