"""What had to happen, from evidence alone: every touch, its windows, what forbade it, and the verdict."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.events import ContractChanged, CustomerChanged, PaymentRecorded, RequestMade
from tests.oracle import blockers
from tests.oracle.crowding import under_caps
from tests.oracle.expectation import Expectation, TouchId, Verdict
from tests.oracle.facts import Fact, Span
from tests.oracle.inputs import CustomerInputs, Inputs
from tests.oracle.placements import Placement, PolicyFact, epochs, placements
from tests.oracle.timeline import Timeline

Slots = tuple[tuple[int, int], ...]


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
        found.update((one.touch, one) for one in under_caps(of_customer))
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
                is_due=_is_due(deciding, horizon_ms)
                and not _is_brought_too_late(deciding, versions[0].certain_ms, policies, spans),
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
    """Whether the balance must account for it: opened, and known, by the horizon, not dropped before."""
    window = deciding.window
    is_dropped = deciding.certain_to_ms <= window.opens_ms
    return window.opens_ms <= horizon_ms and deciding.certain_from_ms <= horizon_ms and not is_dropped


def _is_brought_too_late(
    deciding: Placement, known_ms: int, policies: Iterable[PolicyFact], spans: Iterable[Span]
) -> bool:
    """Whether a policy brought the step only when its window, or all that was known of the customer, was gone."""
    from_ms = deciding.certain_from_ms
    if from_ms <= known_ms or all(one.certain_ms != from_ms for one in policies):
        return False
    is_erased = any(span.kind == "erased" and span.possible_from_ms <= from_ms for span in spans)
    return is_erased or deciding.window.closes_ms <= from_ms
