"""The real clock: tells every partition the time, and how far its inputs had come once that was stamped (I6)."""

import os
import signal
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from schemas.codec import Codec
from schemas.errors import TransportError
from schemas.events import Tick
from schemas.topics import BARRIER, TICK, partition_key
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer
from schemas.transport.records import TopicPartition
from streams.settings import ClockSettings
from streams.threads import SystemClock

log = structlog.get_logger("perennial.clock")
_WITHIN_MS = 10_000


@dataclass(slots=True, kw_only=True)
class Ticker:
    """Publishes ticks: stamps `now` first, then reads the ends of the inputs, and sends both."""

    codec: Codec
    producer: EventProducer
    positions: Positions
    prefix: str
    partitions: int
    clock_id: str
    sequence: int = 0

    def tick(self, now_ms: int) -> None:
        """Send one instant to every partition and wait until the broker has it."""
        self.sequence += 1
        ends = self._ends()
        for number in range(self.partitions):
            barrier = {topic: ends[TopicPartition(self.prefix + topic, number)] for topic in BARRIER}
            tick = Tick(now_ms=now_ms, barrier=barrier, clock_id=self.clock_id, sequence=self.sequence)
            self.producer.produce(self.prefix + TICK, partition_key(number), self.codec.encode(tick), number)
        self.producer.flush(_WITHIN_MS)

    def _ends(self) -> Mapping[TopicPartition, int]:
        tps = [TopicPartition(self.prefix + topic, number) for topic in BARRIER for number in range(self.partitions)]
        return self.positions.end_offsets(tps, _WITHIN_MS)


def ticker(settings: ClockSettings, codec: Codec) -> Ticker:
    """Connect a ticker."""
    kafka = settings.kafka("perennial-clock")
    return Ticker(
        codec=codec,
        producer=EventProducer(kafka),
        positions=Positions(kafka),
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        clock_id=settings.clock_id or f"{socket.gethostname()}-{os.getpid()}",
    )


def run(settings: ClockSettings, codec: Codec) -> int:
    """Tick until SIGTERM or SIGINT; a broker that is away is waited for, and its missing ticks are not made up."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    tell, clock = ticker(settings, codec), SystemClock()
    log.info("clock_started", clock_id=tell.clock_id, tick_ms=settings.tick_ms)
    is_telling = True
    while not told.is_set():
        now_ms = clock.now_ms()
        try:
            tell.tick(now_ms)
        except TransportError as error:
            if is_telling:
                log.warning("ticks_not_sent", detail=str(error))
            is_telling = False
        else:
            if not is_telling:
                log.info("ticks_sent_again")
            is_telling = True
        told.wait(max(0, settings.tick_ms - (clock.now_ms() - now_ms)) / 1000)
    log.info("clock_stopped", ticks=tell.sequence)
    return 0
