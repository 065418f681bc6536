"""What had to happen, from evidence alone: every touch, its windows, what forbade it, and the verdict."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from schemas.events import ContractChanged, CustomerChanged, PaymentRecorded, RequestMade
from tests.oracle import blockers
from tests.oracle.calendar import local
from tests.oracle.facts import Fact, Span
from tests.oracle.inputs import CustomerInputs, Inputs
from tests.oracle.placements import Placement, PolicyFact, epochs, placements
from tests.oracle.policy import CadenceStep
from tests.oracle.timeline import Timeline

RETRIES_MS = 3 * 3_600_000  # 5 min, 30 min and 2 h after a refusal
Slots = tuple[tuple[int, int], ...]


class TouchId(NamedTuple):
    """One touch, whatever its revision."""

    contract_id: str
    term_id: str
    step: str
    channel: str


class Verdict(StrEnum):
    """What evidence alone says about a touch."""

    MUST = "must"
    MUST_NOT = "must_not"
    EITHER = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One touch as it had to go; `opens_ms`, `target_ms`, `closes_ms` are those of the window that decides.

    What takes effect after `decides_ms` comes too late to change anything: on the virtual clock, which waits for
    whoever is down, the first tick within the send hours; on the real one the window's close.
    """

    touch: TouchId
    customer_id: str
    partition: int
    step: CadenceStep
    verdict: Verdict
    opens_ms: int
    target_ms: int
    decides_ms: int
    closes_ms: int
    placements: tuple[Placement, ...]
    blockers: tuple[Span, ...]
    versions: tuple[Fact, ...]
    is_due: bool
    delivery_class: str = "at_least_once"

    @property
    def order(self) -> int:
        """Place of the step in its cadence, 0 first."""
        return self.step.order

    def contracts_at(self, decided_ms: int, until_ms: int) -> tuple[ContractChanged, ...]:
        """Every contract version that a touch decided at an instant, and appended by another, may be bound to."""
        newest: ContractChanged | None = None
        open_to_doubt: list[ContractChanged] = []
        for fact in self.versions:
            record = fact.record
            if not isinstance(record, ContractChanged):
                continue
            if fact.certain_ms <= decided_ms:
                newest = record if newest is None or record.version > newest.version else newest
            elif fact.appended_at_ms <= until_ms:
                open_to_doubt.append(record)
        return tuple(([newest] if newest is not None else []) + open_to_doubt)

    def is_blocked_at(self, now_ms: int, *kinds: str) -> bool:
        """Whether a blocker of these kinds certainly held at an instant."""
        return any(span.kind in kinds and span.certain_from_ms <= now_ms < span.certain_to_ms for span in self.blockers)


def expected(
    inputs: Inputs, policies: Mapping[int, tuple[PolicyFact, ...]], horizon_ms: int
) -> dict[TouchId, Expectation]:
    """Compute every touch that the inputs call for; pure, and without any look at what the system did."""
    found: dict[TouchId, Expectation] = {}
    for customer in inputs.customers.values():
        timeline = inputs.timelines[customer.partition]
        of_customer = list(
            _of_customer(
                customer,
                timeline,
                policies.get(customer.partition, ()),
                inputs.stops.get(customer.partition, ()),
                horizon_ms,
            )
        )
        found.update((one.touch, one) for one in _under_caps(of_customer))
    return found


def _of_customer(
    customer: CustomerInputs,
    timeline: Timeline,
    policies: tuple[PolicyFact, ...],
    stops: tuple[Span, ...],
    horizon_ms: int,
) -> Iterator[Expectation]:
    facts = customer.unrolled.facts
    customers = [fact for fact in facts if isinstance(fact.record, CustomerChanged)]
    requests = [fact for fact in facts if isinstance(fact.record, RequestMade)]
    general = (
        *stops,
        *customer.unrolled.quarantines,
        *blockers.erased(requests),
        *blockers.requested("unsubscribed", requests),
        *blockers.requested("no_consent", requests),
        *blockers.unreachable(customers),
    )
    payments = _payments(facts)
    for (contract_id, term_id), versions in _versions(facts).items():
        of_term = payments.get((contract_id, term_id), [])
        amount = versions[-1].record.amount_minor if isinstance(versions[-1].record, ContractChanged) else 0
        spans = (
            *general,
            *blockers.paid(of_term),
            *blockers.paid_in_parts(of_term, amount),
            *blockers.ended(versions),
        )
        for step, placed in placements(epochs(versions, customers, policies, timeline)).items():
            touch = TouchId(contract_id, term_id, step, placed[0].window.step.channel)
            verdict, deciding = _judge(placed, spans, timeline)
            yield Expectation(
                touch=touch,
                customer_id=customer.customer_id,
                partition=customer.partition,
                step=deciding.window.step,
                verdict=verdict,
                opens_ms=deciding.window.opens_ms,
                target_ms=_target_ms(deciding),
                decides_ms=_decides_ms(deciding, timeline),
                closes_ms=deciding.window.closes_ms,
                placements=placed,
                blockers=spans,
                versions=tuple(versions),
                is_due=_is_due(deciding, horizon_ms),
            )


def _versions(facts: Iterable[Fact]) -> dict[tuple[str, str], list[Fact]]:
    found: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if isinstance(record := fact.record, ContractChanged):
            found.setdefault((record.contract_id, record.term), []).append(fact)
    return found


def _payments(facts: Iterable[Fact]) -> dict[tuple[str, str], list[Fact]]:
    found: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if isinstance(record := fact.record, PaymentRecorded):
            found.setdefault((record.contract_id, record.term_id), []).append(fact)
    return found


def _judge(placed: Sequence[Placement], spans: Sequence[Span], timeline: Timeline) -> tuple[Verdict, Placement]:
    """Find the first window in which the touch may have left, and whether it had to."""
    was_open = False
    for placement in placed:
        if _possible_slots(placement, spans):
            is_sure = not was_open and _is_sure(placement, spans, timeline)
            return (Verdict.MUST if is_sure else Verdict.EITHER), placement
        was_open = was_open or placement.window.opens_ms < placement.certain_to_ms
    return Verdict.MUST_NOT, placed[-1]


def _target_ms(placement: Placement) -> int:
    left = placement.slots_from(placement.certain_from_ms)
    return left[0][0] if left else placement.window.opens_ms


def _decides_ms(placement: Placement, timeline: Timeline) -> int:
    if timeline.is_virtual:
        for begins, ends in placement.slots_from(placement.certain_from_ms):
            if (tick_ms := timeline.first_within(begins, ends)) is not None:
                return tick_ms
    return placement.window.closes_ms - 1


def _possible_slots(placement: Placement, spans: Iterable[Span]) -> Slots:
    """Send hours in which nothing certainly forbade the touch and its window may have been in force."""
    left: Slots = tuple(
        (begins, min(ends, placement.possible_to_ms))
        for begins, ends in placement.slots_from(placement.possible_from_ms)
        if begins < placement.possible_to_ms
    )
    for span in spans:
        left = _without(left, span.certain_from_ms, span.certain_to_ms)
    return left


def _is_sure(placement: Placement, spans: Iterable[Span], timeline: Timeline) -> bool:
    """Whether the window was in force, and nothing may have forbidden the touch, until it had to be decided."""
    opens_ms = max(placement.window.opens_ms, placement.certain_from_ms)
    decides_ms = _decides_ms(placement, timeline)
    if placement.certain_to_ms <= decides_ms or not placement.slots_from(placement.certain_from_ms):
        return False
    return not any(span.possible_from_ms <= decides_ms and opens_ms < span.possible_to_ms for span in spans)


def _without(left: Slots, from_ms: int, to_ms: int) -> Slots:
    if from_ms >= to_ms or not left:
        return left
    parts = ((piece for piece in ((b, min(e, from_ms)), (max(b, to_ms), e))) for b, e in left)
    return tuple(piece for pair in parts for piece in pair if piece[0] < piece[1])


def _is_due(deciding: Placement, horizon_ms: int) -> bool:
    """Whether the balance must account for it: opened, and known, by the horizon."""
    return deciding.window.opens_ms <= horizon_ms and deciding.certain_from_ms <= horizon_ms


def _under_caps(touches: list[Expectation]) -> Iterator[Expectation]:
    """Leave open what may have been moved out of its window because of the customer's other touches."""
    rivals = [one for one in touches if one.verdict is not Verdict.MUST_NOT]
    firm: set[TouchId] = set()  # those that no cap can have moved
    earlier: list[Expectation] = []
    for one in sorted(touches, key=_urgency):
        judged = one
        if one.verdict is Verdict.MUST:
            open_to_doubt = [rival for rival in rivals if rival.verdict is Verdict.EITHER]
            if one.step.is_exempt or not _may_be_capped(one, [*earlier, *open_to_doubt], firm):
                firm.add(one.touch)
            elif _may_be_crowded_out(one, rivals):
                judged = replace(one, verdict=Verdict.EITHER)
            earlier.append(one)
        yield judged


def _urgency(one: Expectation) -> tuple[int, int, int, TouchId]:
    """The order in which touches of a customer are judged: at one instant, the nearest expiry first."""
    return one.decides_ms, one.step.days_before, one.closes_ms, one.touch


def _may_be_capped(one: Expectation, earlier: Sequence[Expectation], firm: AbstractSet[TouchId]) -> bool:
    """Whether touches judged before it may fill the caps at the instant at which it is decided."""
    if one.decides_ms == one.closes_ms - 1:  # on a real clock that instant is not known
        return True
    placement, policy = one.placements[-1], one.placements[-1].policy
    today = local(one.decides_ms, placement.zone).date()
    ends = [_may_go_until_ms(rival, firm) for rival in earlier if rival.opens_ms <= one.decides_ms]
    recent = [end_ms for end_ms in ends if end_ms > one.decides_ms - policy.period_ms]
    on_day = sum(local(end_ms, placement.zone).date() >= today for end_ms in recent)
    return on_day >= policy.touches_a_day or len(recent) >= policy.touches_a_period


def _may_go_until_ms(rival: Expectation, firm: AbstractSet[TouchId]) -> int:
    """The last instant at which a rival, or its retry after a refusal, may be released."""
    return min(rival.decides_ms + RETRIES_MS, rival.closes_ms) if rival.touch in firm else rival.closes_ms


def _may_be_crowded_out(one: Expectation, rivals: Sequence[Expectation]) -> bool:
    """Whether rivals may fill every day on which it could go instead, or something may happen on the way."""
    placement, policy = one.placements[-1], one.placements[-1].policy
    near = [rival for rival in rivals if rival is not one and _is_near(one, rival, policy.period_ms)]
    if not near:
        return False
    days = {local(begins, placement.zone).date() for begins, _ in placement.slots_from(placement.certain_from_ms)}
    is_full = len(near) >= policy.touches_a_period or len(near) >= len(days) * policy.touches_a_day
    return is_full or _may_change_before_close(one)


def _may_change_before_close(one: Expectation) -> bool:
    """Whether something may forbid a touch that a cap moved, or place it anew, before its window closes."""
    window = (one.opens_ms, one.closes_ms)
    is_replaced = any(
        placement.certain_to_ms < one.closes_ms and (placement.window.opens_ms, placement.window.closes_ms) == window
        for placement in one.placements
    )
    return is_replaced or any(
        span.possible_from_ms < one.closes_ms and one.decides_ms < span.possible_to_ms for span in one.blockers
    )


def _is_near(one: Expectation, rival: Expectation, period_ms: int) -> bool:
    return rival.opens_ms < one.closes_ms and one.opens_ms - period_ms < rival.closes_ms
