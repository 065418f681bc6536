"""What the counting brain is fed and what must come of it: topics, a seeded publisher, and an exact verdict."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from schemas.changelog import STATE_PREFIX
from schemas.codec import packaged_codec
from schemas.events import EngagementSeen, Tick
from schemas.identity import CustomerId, EventId
from schemas.topics import BARRIER, DECISION, TICK, catalogue, changelog_topic, partition_key
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer
from schemas.transport.reader import read_many_to_end, read_rows_to_end
from schemas.transport.records import TopicPartition
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import EngagementKind
from tests.chaos.counting import EVERY, FED_TOPICS, Count

WEIGHTS = (1, 4, 2, 2, 4)  # of FED_TOPICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One isolated system on a broker."""

    bootstrap: str
    prefix: str
    application: str = "counting"
    partitions: int = 4

    @property
    def settings(self) -> KafkaSettings:
        """Client settings."""
        return KafkaSettings(bootstrap_servers=self.bootstrap)

    def name(self, topic: str) -> str:
        """A topic's name on the broker."""
        return self.prefix + topic

    def tps(self, topic: str) -> list[TopicPartition]:
        """A topic's partitions on the broker."""
        return [TopicPartition(self.name(topic), number) for number in range(self.partitions)]

    def create_topics(self) -> None:
        """Create every topic of the catalogue."""
        plans = [
            TopicPlan(
                name=self.name(topic.name),
                partitions=self.partitions,
                settings={
                    "cleanup.policy": topic.cleanup.value,
                    "message.timestamp.type": "LogAppendTime" if topic.is_append_time else "CreateTime",
                    "max.message.bytes": str(topic.max_message_bytes),
                },
            )
            for topic in catalogue(application=self.application, channels=())
        ]
        TopicAdmin(self.settings).create(plans)

    def delete_topics(self) -> None:
        """Leave nothing behind on a broker that others use too."""
        TopicAdmin(self.settings).delete(
            self.name(topic.name) for topic in catalogue(application=self.application, channels=())
        )


@dataclass(slots=True)
class Load:
    """A seeded stream of events; what it has said so far is what must have been counted."""

    seed: int
    customers: int
    sent: Counter[str] = field(default_factory=Counter)
    numbers: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def events(self, count: int) -> Iterator[tuple[str, bytes, EngagementSeen]]:
        """Give topic, key and event, `count` times."""
        draw = random.Random(f"{self.seed}-{sum(self.sent.values())}")
        for _ in range(count):
            topic = draw.choices(FED_TOPICS, WEIGHTS)[0]
            customer = f"customer-{draw.randrange(self.customers):06d}"
            yield topic, customer.encode(), self._event(topic, customer)

    def _event(self, topic: str, customer: str) -> EngagementSeen:
        number = self.numbers[topic, customer]
        self.numbers[topic, customer] += 1
        self.sent[customer] += 1
        return EngagementSeen(
            event_id=EventId(f"{customer}-{topic}-{number}"),
            customer_id=CustomerId(customer),
            occurred_at_ms=1_700_000_000_000 + number,
            kind=EngagementKind.USED,
            value=number,
            source=topic,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How outputs and states differ from the inputs; all zero is right."""

    events: int
    commands: int
    lost: int
    duplicated: int
    reordered: int
    wrong_states: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs."""
        return not (self.lost or self.duplicated or self.reordered or self.wrong_states)


class Publisher:
    """Publishes a load to a place."""

    def __init__(self, place: Place) -> None:
        self._place, self._producer = place, EventProducer(place.settings)
        codec = packaged_codec()
        self._encode: Callable[[EngagementSeen], bytes] = codec.encoder(EngagementSeen)
        self._encode_tick: Callable[[Tick], bytes] = codec.encoder(Tick)
        self._positions = Positions(place.settings)

    def publish(self, load: Load, count: int) -> None:
        """Publish the next events of a load and wait until the broker has them."""
        for topic, key, event in load.events(count):
            self._producer.produce(self._place.name(topic), key, self._encode(event))
        self._producer.flush()

    def tick(self, now_ms: int) -> None:
        """Say what time it is to every partition, as a clock does."""
        tps = [tp for topic in BARRIER for tp in self._place.tps(topic)]
        ends = self._positions.end_offsets(tps)
        for number in range(self._place.partitions):
            barrier = {topic: ends[TopicPartition(self._place.name(topic), number)] for topic in BARRIER}
            value = self._encode_tick(Tick(now_ms=now_ms, barrier=barrier, clock_id="test"))
            self._producer.produce(self._place.name(TICK), partition_key(number), value, number)
        self._producer.flush()


def outputs(place: Place, topic: str = DECISION) -> dict[bytes, list[int]]:
    """Read what was said per customer, in order."""
    said: defaultdict[bytes, list[int]] = defaultdict(list)
    for records in read_many_to_end(place.settings, dict.fromkeys(place.tps(topic), 0)):
        for record in records:
            said[record.key or b""].append(int(record.value or b"0"))
    return said


def states(place: Place) -> dict[bytes, Count]:
    """Read the states of all customers from the changelog."""
    decode = msgspec.msgpack.Decoder(Count).decode
    found = {}
    for tp in place.tps(changelog_topic(place.application)):
        for piece in read_rows_to_end(place.settings, tp, 0):
            for key, value in piece.rows:
                if key and value and key.startswith(STATE_PREFIX):
                    found[key[len(STATE_PREFIX) :]] = decode(value)
    return found


def counted(place: Place) -> int:
    """Tell how many events the states know of."""
    return sum(state.events for state in states(place).values())


def verdict(place: Place, load: Load) -> Verdict:
    """Compare outputs and states with the load, exactly."""
    said, found = outputs(place), states(place)
    lost = duplicated = reordered = wrong = 0
    for customer, events in load.sent.items():
        key = customer.encode()
        expected = list(range(EVERY, events + 1, EVERY))
        got = said.get(key, [])
        lost += len(set(expected) - set(got))
        duplicated += len(got) - len(set(got)) + len(set(got) - set(expected))
        reordered += sum(1 for one, other in pairwise(got) if other < one)
        state = found.get(key)
        wrong += state is None or state.events != events or state.disordered != 0
    wrong += len(found.keys() - {customer.encode() for customer in load.sent})
    return Verdict(
        events=sum(load.sent.values()),
        commands=sum(len(values) for values in said.values()),
        lost=lost,
        duplicated=duplicated,
        reordered=reordered,
        wrong_states=wrong,
    )
