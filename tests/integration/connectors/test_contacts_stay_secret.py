"""A canary in every contact field is found nowhere but at the provider (S08)."""

import base64
import quopri
from collections.abc import Iterator
from typing import cast
from urllib.parse import quote

from redis import Redis

from schemas import topics
from schemas.transport.reader import read_many_to_end
from schemas.transport.records import BEGINNING, TopicPartition
from tests.delivering.stage import COMMANDS, LEDGER, PARTITIONS, Stage, until

CANARY = "kanari7431"
EVERY_TOPIC = (COMMANDS, LEDGER, topics.RECEIPT, topics.FENCE, topics.CONTACT, topics.CONTACT_KEY)


def spellings(text: str) -> Iterator[bytes]:
    """A text as it might be hidden; base64 at every alignment, without its uncertain ends."""
    yield text.encode()
    yield text.encode().hex().encode()
    yield quote(text).encode()
    yield quopri.encodestring(text.encode())
    yield text.encode("utf-16-le")
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + text.encode())[4:-4]


def everything_written(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Logs, Redis and topics of a stage; not the provider's inbox."""
    for log in stage.folder.glob("*.log"):
        yield log.name, log.read_bytes()
    redis = Redis.from_url(stage.redis_url)
    for key in redis.scan_iter(f"{stage.prefix}*"):
        row = cast("dict[bytes, bytes]", redis.hgetall(key))
        yield key.decode(), key + b" " + b" ".join(part for pair in row.items() for part in pair)
    starts = {TopicPartition(name, number): BEGINNING for name in EVERY_TOPIC for number in range(PARTITIONS)}
    for records in read_many_to_end(stage.kafka, starts):
        for record in records:
            yield record.topic, (record.key or b"") + (record.value or b"")


def test_a_canary_is_found_nowhere_but_at_the_provider(stage: Stage) -> None:
    customers = ["c1", "c2", "c3"]
    stage.know(customers, domain=f"{CANARY}.example.com")
    stage.contacts()
    port = stage.simulator("--rule", "c2@.*=refuse", "--rule", "c3@.*=drop")
    with stage.heart():
        stage.channel(port)
        stage.order(customers)
        until(lambda: len(stage.receipts()) == len(customers), 60, "the receipts")
    assert CANARY in stage.inbox.read_text()
    places = list(everything_written(stage))
    assert {place for place, _ in places} >= set(EVERY_TOPIC) - {topics.FENCE}
    leaks = [(place, hidden) for place, octets in places for hidden in spellings(CANARY) if hidden in octets]
    assert leaks == []
