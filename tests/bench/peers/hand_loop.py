"""The bound: a hand-written transactional loop over confluent-kafka, one transaction a `cadence` of records.

Guarantee: exactly once while one process runs. It has no restore, no rebalance, no fences: what it leaves out is the
point of it.
"""

from collections.abc import Sequence

from confluent_kafka import Consumer, Message, Producer

from tests.bench.contender import Orders, marked, orders_from_command_line
from tests.bench.work import DECODERS, NOTHING_YET, Figures, decode_figures, encode_figures, fold, output

POLL_S = 0.05


class HandLoop:
    """Consume, fold, produce, commit."""

    def __init__(self, orders: Orders) -> None:
        """Make the clients and join the group."""
        self._orders = orders
        self._decoders = {name: marked(orders, DECODERS[topic]) for name, topic in orders.inputs().items()}
        self._store: dict[bytes, bytes] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": orders.bootstrap_servers,
                "group.id": orders.group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        self._producer = Producer(
            {
                "bootstrap.servers": orders.bootstrap_servers,
                "transactional.id": orders.group,
                "partitioner": "murmur2_random",
                "linger.ms": 1,
                "queue.buffering.max.messages": 1_000_000,
                "delivery.report.only.error": True,
            }
        )

    def run(self) -> None:
        """Loop until killed."""
        self._producer.init_transactions(30)
        self._consumer.subscribe(list(self._orders.inputs()))
        while True:
            messages = self._consumer.consume(self._orders.cadence, POLL_S)
            if messages:
                self._commit(messages)

    def _commit(self, messages: "Sequence[Message[bytes, bytes]]") -> None:
        self._producer.begin_transaction()
        changed = self._fold(messages)
        for (key, partition), figures in changed.items():
            row = encode_figures(figures)
            self._store[key] = row
            self._producer.produce(self._orders.changelog, row, key, partition)
        consumer = self._consumer
        positions = [one for one in consumer.position(consumer.assignment()) if one.offset >= 0]
        self._producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 30)
        self._producer.commit_transaction(30)

    def _fold(self, messages: "Sequence[Message[bytes, bytes]]") -> dict[tuple[bytes, int], Figures]:
        overlay: dict[tuple[bytes, int], Figures] = {}
        decoders, produce, out = self._decoders, self._producer.produce, self._orders.output
        for message in messages:
            key = message.key() or b""
            fact = decoders[message.topic() or ""](message.value())
            place = (key, message.partition() or 0)
            figures = overlay[place] = fold(overlay.get(place) or self._stored(key), fact)
            decision = output(figures, fact)
            if decision is not None:
                produce(out, decision, key)
        return overlay

    def _stored(self, key: bytes) -> Figures:
        row = self._store.get(key)
        return decode_figures(row) if row else NOTHING_YET


if __name__ == "__main__":
    HandLoop(orders_from_command_line()).run()
