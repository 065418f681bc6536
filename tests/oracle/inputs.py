"""Evidence in the order in which it can be judged: per partition its time, per customer its facts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas import topics
from schemas.events import PolicyPublished, RequestMade
from schemas.vocabulary import RequestKind
from tests.oracle.blockers import requested
from tests.oracle.bundle import Bundle, Decode, Logged
from tests.oracle.facts import Fact, Span, Unrolled, unroll
from tests.oracle.partitions import partition_of
from tests.oracle.placements import PolicyFact
from tests.oracle.policy import read_policy
from tests.oracle.timeline import Timeline, timeline_of

_OF_CUSTOMERS = (topics.CUSTOMER, topics.CONTRACT, topics.PAYMENT, topics.REQUEST)
_OF_PARTITIONS = frozenset({RequestKind.STOP, RequestKind.START})


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerInputs:
    """All that is evident about one customer."""

    customer_id: str
    partition: int
    unrolled: Unrolled


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All evidence that decides what had to happen, except the policies."""

    timelines: Mapping[int, Timeline]
    customers: Mapping[str, CustomerInputs]
    stops: Mapping[int, tuple[Span, ...]]


def inputs_of(bundle: Bundle) -> Inputs:
    """Sort a bundle's input topics by customer; a record in a foreign partition counts by its re-routed copy alone."""
    timelines = timelines_of(bundle)
    by_customer: dict[str, list[Logged]] = {}
    for topic in _OF_CUSTOMERS:
        for logged in bundle.topics[topic]:
            if not _is_of_partition(logged) and logged.key and _is_at_home(logged, bundle.manifest.partitions):
                by_customer.setdefault(logged.key.decode("utf-8", "replace"), []).append(logged)
    return Inputs(
        timelines=timelines,
        customers={
            customer_id: _customer(customer_id, logged, timelines, bundle.decode)
            for customer_id, logged in by_customer.items()
        },
        stops={partition: _stops(bundle, partition, timeline) for partition, timeline in timelines.items()},
    )


def timelines_of(bundle: Bundle) -> dict[int, Timeline]:
    """Build the time of every partition."""
    ticks, fences = _by_partition(bundle.topics[topics.TICK]), _by_partition(bundle.topics[topics.FENCE])
    return {
        partition: timeline_of(
            ticks.get(partition, ()), fences.get(partition, ()), is_virtual=bundle.manifest.is_virtual
        )
        for partition in range(bundle.manifest.partitions)
    }


def policies_of(bundle: Bundle, timelines: Mapping[int, Timeline]) -> dict[int, tuple[PolicyFact, ...]]:
    """Read every policy that a partition was given, in order of offset."""
    found: dict[int, tuple[PolicyFact, ...]] = {}
    for partition, logged in _by_partition(bundle.topics[topics.POLICY]).items():
        found[partition] = tuple(_policies(logged, timelines[partition]))
    return found


def _customer(
    customer_id: str, logged: Iterable[Logged], timelines: Mapping[int, Timeline], decode: Mapping[str, Decode]
) -> CustomerInputs:
    ordered = list(logged)
    partition = ordered[0].partition
    return CustomerInputs(
        customer_id=customer_id,
        partition=partition,
        unrolled=unroll(ordered, timelines[partition], decode),
    )


def _policies(logged: Iterable[Logged], timeline: Timeline) -> Iterable[PolicyFact]:
    for one in logged:
        if isinstance(published := one.record, PolicyPublished):
            try:
                policy = read_policy(published.number, published.content)
            except (KeyError, ValueError, TypeError):
                continue  # refused at publish: it changes nothing
            yield PolicyFact(
                policy=policy,
                certain_ms=timeline.certain_ms(topics.POLICY, one.offset),
                possible_ms=timeline.possible_ms(one.appended_at_ms),
                appended_at_ms=one.appended_at_ms,
            )


def _stops(bundle: Bundle, partition: int, timeline: Timeline) -> tuple[Span, ...]:
    requests = [
        Fact(
            record=one.record,
            topic=one.topic,
            offset=one.offset,
            appended_at_ms=one.appended_at_ms,
            certain_ms=timeline.certain_ms(one.topic, one.offset),
            possible_ms=timeline.possible_ms(one.appended_at_ms),
        )
        for one in bundle.topics[topics.REQUEST]
        if one.partition == partition and one.record is not None and _is_of_partition(one)
    ]
    return requested("stopped", requests)


def _is_at_home(logged: Logged, partitions: int) -> bool:
    return logged.key is not None and partition_of(logged.key, partitions) == logged.partition


def _is_of_partition(logged: Logged) -> bool:
    return isinstance(logged.record, RequestMade) and logged.record.kind in _OF_PARTITIONS


def _by_partition(logged: Iterable[Logged]) -> dict[int, list[Logged]]:
    found: dict[int, list[Logged]] = {}
    for one in logged:
        found.setdefault(one.partition, []).append(one)
    return found
