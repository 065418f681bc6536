"""All inputs of a run fed a second time, as a nervous upstream would: nothing may change (C11)."""

from collections.abc import Iterator

from connectors.queries.topic_records import records_in
from connectors.sources.publisher import Outgoing, Publisher
from deploy.demo.days import turn
from deploy.demo.plan import WorldPlan
from deploy.demo.system import System
from deploy.settings import now_ms
from schemas import topics
from schemas.errors import Refused
from schemas.topics import Topic, catalogue

_FED = tuple(topic for topic in topics.INPUTS if topic != topics.TICK)
_RECORDS_A_TRANSACTION = 1_000


def feed_again(system: System, plan: WorldPlan) -> int:
    """Publish every input once more, let a virtual tick pass, and return the wall instant at which it began."""
    from_ms = publish_again(system)
    turn(system, from_ms=plan.until_ms + 1, until_ms=plan.until_ms + 1)
    return from_ms


def publish_again(system: System) -> int:
    """Publish every input once more and return the wall instant at which it began.

    What was refused the first time is left out: a second refusal would be a second hold, rightly.
    """
    from_ms = now_ms()
    again = list(_readable(system))
    with Publisher(system.kafka(), f"{system.plan.application}-again") as publisher:
        for start in range(0, len(again), _RECORDS_A_TRANSACTION):
            publisher.publish(again[start : start + _RECORDS_A_TRANSACTION])
    return from_ms


def _readable(system: System) -> Iterator[Outgoing]:
    for topic in _topics():
        decode = system.codec.decoder(topic.records)
        for record in records_in(system.kafka(), topic.name, system.plan.partitions):
            try:
                decode(record.value)
            except Refused:
                continue
            yield Outgoing(topic=record.topic, key=record.key or b"", value=record.value, partition=record.partition)


def _topics() -> tuple[Topic, ...]:
    return tuple(topic for topic in catalogue(application="", channels=()) if topic.name in _FED)
