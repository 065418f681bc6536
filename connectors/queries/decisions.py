"""Decisions as they were made: the story of one customer, and what an outage lost."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connectors.queries.topic_records import records_in, records_of_customer
from schemas.codec import Codec
from schemas.outputs import DecisionMade
from schemas.topics import DECISION
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Verdict

LOST = frozenset({Verdict.DEAD_LETTERED, Verdict.UNKNOWN, Verdict.EXPIRED})
NOTES = frozenset({Verdict.DECLINED, Verdict.REOPENED})  # answers to requests; they end no touch by themselves


class Group(NamedTuple):
    """What a step owes a customer once, however often and by whatever channel it is tried."""

    contract_id: str
    term_id: str
    step: str


def decisions_of(settings: KafkaSettings, codec: Codec, partitions: int, customer_id: str) -> tuple[DecisionMade, ...]:
    """Every decision about a customer, oldest first."""
    decode = codec.decoder(DecisionMade)
    return tuple(decode(record.value) for record in records_of_customer(settings, DECISION, partitions, customer_id))


def all_decisions(settings: KafkaSettings, codec: Codec, partitions: int) -> Iterator[DecisionMade]:
    """Every decision; in order for each customer."""
    decode = codec.decoder(DecisionMade)
    return (decode(record.value) for record in records_in(settings, DECISION, partitions))


def outcomes(decisions: Iterable[DecisionMade]) -> dict[Group, DecisionMade]:
    """The last word on each group: its outcome in the balance."""
    last: dict[Group, DecisionMade] = {}
    for one in decisions:
        if one.verdict not in NOTES:
            last[Group(one.contract_id, one.term_id, one.step)] = one
    return last


def lost_since(decisions: Iterable[DecisionMade], since_ms: int, cause: str = "") -> tuple[DecisionMade, ...]:
    """Touches given up at or after an instant (dead-lettered, unknown, expired), oldest first.

    `cause` keeps those of one reason, such as `no_receipt`.
    """
    lost = (
        one
        for one in outcomes(decisions).values()
        if one.verdict in LOST and one.decided_at_ms >= since_ms and cause in {"", one.reason.value}
    )
    return tuple(sorted(lost, key=lambda one: (one.decided_at_ms, one.touch_key)))
