"""Traffic at a steady rate (W3): seeded facts over six topics, each with an id of its own, and when each was sent."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice

import msgspec

from schemas.codec import packaged_codec
from schemas.events import ReceiptGiven, RequestMade
from schemas.identity import ContractId, EventId, StepName, TermId, TouchKey
from schemas.topics import RECEIPT, REQUEST
from schemas.transport.producer import EventProducer
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel, Outcome, RequestKind
from tests.bench.validation import Expected
from tests.bench.work import counted
from tests.bench.workload import TOPIC_OF, Fact, Workload, padded

RATE_PER_S = 1_000
BURST = 5  # sent together, each 5 ms: a finer grain is beyond a sleeping thread
DISTINCT = 20_000
RECEIPT_EVERY, REQUEST_EVERY = 7, 11  # the rest keeps the mix of the workload


@dataclass(slots=True)
class SteadyLoad:
    """Sends facts at 1,000 a second; `sent_at_ns` and `expected` grow as it does."""

    producer: EventProducer
    prefix: str
    facts: Iterator[tuple[str, bytes, Fact]]
    sent_at_ns: dict[str, int] = field(default_factory=dict)
    expected: Expected = field(default_factory=Expected)

    @classmethod
    def to(cls, settings: KafkaSettings, prefix: str, seed: int) -> "SteadyLoad":
        """Aim at the topics under a prefix."""
        return cls(producer=EventProducer(settings), prefix=prefix, facts=steady_facts(seed))

    def send(self, records: int) -> None:
        """Send so many records at the rate; returns once all are acknowledged."""
        begun = time.monotonic()
        for sent in range(0, records, BURST):
            ahead_s = begun + sent / RATE_PER_S - time.monotonic()
            if ahead_s > 0:
                time.sleep(ahead_s)
            for topic, value, fact in islice(self.facts, BURST):
                self.expected.add(fact)
                self.sent_at_ns[fact.event_id] = time.monotonic_ns()
                self.producer.produce(self.prefix + topic, fact.customer_id.encode(), value)
        self.producer.flush()


def steady_facts(seed: int) -> Iterator[tuple[str, bytes, Fact]]:
    """Give (topic, bytes, the fact as it counts) without end; ids never repeat, sizes are those of the workload."""
    codec, rnd = packaged_codec(), random.Random(seed)
    facts = list(Workload(seed=seed, records=DISTINCT).facts())
    for number in count():
        event_id = EventId(f"s{number:09d}")
        fact = msgspec.structs.replace(facts[number % DISTINCT], event_id=event_id)
        if number % RECEIPT_EVERY == 0:
            receipt = _receipt(fact)
            yield RECEIPT, codec.encode(receipt), counted(receipt)
        elif number % REQUEST_EVERY == 0:
            request = _request(fact)
            yield REQUEST, padded(codec, rnd, request), request
        else:
            yield TOPIC_OF[type(fact)], padded(codec, rnd, fact), fact


def _receipt(fact: Fact) -> ReceiptGiven:
    return ReceiptGiven(
        event_id=fact.event_id,
        customer_id=fact.customer_id,
        contract_id=ContractId("contract-1"),
        term_id=TermId("term-1"),
        step=StepName("t30"),
        channel=Channel.EMAIL,
        revision=0,
        attempt=1,
        touch_key=TouchKey("contract-1|term-1|t30|email|0"),
        outcome=Outcome.ACCEPTED,
        reported_at_ms=fact.occurred_at_ms,
        detail="n" * 320,
        source="bench",
    )


def _request(fact: Fact) -> RequestMade:
    return RequestMade(
        event_id=fact.event_id,
        customer_id=fact.customer_id,
        occurred_at_ms=fact.occurred_at_ms,
        kind=RequestKind.CONSENT_GIVEN,
        source="bench",
    )
