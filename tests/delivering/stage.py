"""A stage for the delivery loop alone: real topics, contacts, a beating heart for an engine, processes to kill."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from connectors.contacts.crypto import MasterKey, new_master_key
from connectors.contacts.master_key import master_key_from
from connectors.contacts.sealing import ContactSealer
from connectors.settings import ConnectorSettings
from schemas import topics
from schemas.codec import packaged_codec
from schemas.events import ReceiptGiven
from schemas.identity import ContractId, CustomerId, StepName, TermId, touch_key
from schemas.outputs import HeartbeatSent, LedgerRow, SendTouch
from schemas.transport.admin import TopicAdmin, TopicPlan
from schemas.transport.partitioner import partition_of
from schemas.transport.positions import Positions
from schemas.transport.producer import EventProducer
from schemas.transport.reader import PartitionReader
from schemas.transport.records import BEGINNING, Position, TopicPartition
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel, LedgerStage

PARTITIONS = 2
COMMANDS = topics.command_topic(Channel.EMAIL)
LEDGER = topics.ledger_topic(Channel.EMAIL)
BEAT_S = 0.5
READ_WITHIN_S = 30.0
HOUR_MS = 3_600_000
TOPICS = (COMMANDS, LEDGER, topics.RECEIPT, topics.FENCE, topics.CONTACT, topics.CONTACT_KEY)
_COMPACTED = (LEDGER, topics.FENCE, topics.CONTACT, topics.CONTACT_KEY)


def wall_ms() -> int:
    """Now, as everybody on this machine sees it."""
    return time.time_ns() // 1_000_000


def until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Poll until a fact holds; fails with what was waited for."""
    deadline = time.monotonic() + within_s
    waiting = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        waiting.wait(0.1)


@dataclass
class Running:
    """A process that the stage started."""

    process: subprocess.Popen[str]
    log: Path

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def ended(self, within_s: float = 20) -> int:
        """Wait for its end; gives the exit status."""
        return self.process.wait(within_s)

    def said(self) -> str:
        """What it wrote."""
        return self.log.read_text()


@dataclass
class Stage:
    """One isolated set of topics with what lives around a channel."""

    bootstrap: str
    redis_url: str
    prefix: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kafka = KafkaSettings(bootstrap_servers=self.bootstrap, topic_prefix=self.prefix)
        self.codec = packaged_codec()
        self.inbox = self.folder / "inbox.jsonl"
        self.master_text = new_master_key()
        self._running: list[Running] = []
        self._positions = Positions(self.kafka)
        self._readers: dict[str, PartitionReader] = {}
        self._read: dict[str, list[bytes | None]] = {}
        self.heart_offset_ms = 0
        self.create_topics()
        self.producer = EventProducer(self.kafka)

    def create_topics(self) -> None:
        """Create what a channel reads and writes."""
        plans = [
            TopicPlan(
                name=name,
                partitions=PARTITIONS,
                replication=1,
                settings={
                    "cleanup.policy": "compact" if name in _COMPACTED else "delete",
                    "message.timestamp.type": "LogAppendTime",
                },
            )
            for name in TOPICS
        ]
        TopicAdmin(self.kafka).create(plans)

    # ---- what the engine and ingestion would write ------------------------------------------------------------------

    def master(self) -> MasterKey:
        """The master key of this installation."""
        settings = ConnectorSettings.model_validate(
            {"bootstrap_servers": "-", "redis_url": "-", "master_key": self.master_text}
        )
        return master_key_from(settings)

    def know(self, customers: Iterable[str], version: int = 1, domain: str = "example.com") -> None:
        """Publish contacts."""
        sealer = ContactSealer(master=self.master())
        for customer in customers:
            sealed = sealer.seal(
                customer_id=customer,
                version=version,
                occurred_at_ms=wall_ms(),
                event_id=f"{customer}-{version}",
                fields={"name": f"Ünï {customer} A&B", "email": f"{customer}@{domain}"},
            )
            self.producer.produce(topics.CONTACT_KEY, customer.encode(), self.codec.encode(sealed.key))
            self.producer.produce(topics.CONTACT, customer.encode(), self.codec.encode(sealed.contact))
        self.producer.flush()

    def forget(self, customer: str) -> None:
        """Publish the tombstones of an erasure."""
        for topic in (topics.CONTACT_KEY, topics.CONTACT):
            self.producer.produce(topic, customer.encode(), None)
        self.producer.flush()

    def order(self, customers: Iterable[str], **changes: object) -> list[SendTouch]:
        """Publish one command for each."""
        commands = [a_command(customer, **changes) for customer in customers]
        for command in commands:
            self.producer.produce(COMMANDS, command.customer_id.encode(), self.codec.encode(command))
        self.producer.flush()
        return commands

    def append(self, command: SendTouch) -> None:
        """Publish one command as it is."""
        self.producer.produce(COMMANDS, command.customer_id.encode(), self.codec.encode(command))
        self.producer.flush()

    def fence(self, customer: str, key: str, record: object | None) -> None:
        """Raise or lift a fence in the customer's partition."""
        number = partition_of(customer.encode(), PARTITIONS)
        value = self.codec.encode(record) if record is not None else None  # type: ignore[arg-type]
        self.producer.produce(topics.FENCE, key.encode(), value, number)
        self.producer.flush()

    def beat(self, at_ms: int | None = None) -> None:
        """Send one heartbeat to every partition."""
        now_ms = (at_ms if at_ms is not None else wall_ms()) + self.heart_offset_ms
        for number in range(PARTITIONS):
            beat = HeartbeatSent(
                partition=number, watermark_at_ms=now_ms, fresh_at_ms=now_ms, next_alarm_at_ms=0, outstanding=0
            )
            self.producer.produce(topics.FENCE, b"heartbeat", self.codec.encode(beat), number)
        self.producer.flush()

    @contextmanager
    def heart(self) -> Iterator[None]:
        """Beat on the real clock while this lasts."""
        stopped = threading.Event()

        def run() -> None:
            while not stopped.wait(BEAT_S):
                self.beat()

        self.beat()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    # ---- processes --------------------------------------------------------------------------------------------------

    def simulator(self, *arguments: str) -> int:
        """Start the mail provider; gives its port."""
        command = [sys.executable, "-m", "connectors.simulators.smtp", "--inbox", str(self.inbox), *arguments]
        running = self._start("simulator", command, {}, stdout=subprocess.PIPE)
        line = _stdout(running.process).readline()
        return int(json.loads(line)["port"])

    def contacts(self) -> Running:
        """Start the contacts process."""
        return self._start("contacts", self._ours("contacts"), {})

    def channel(self, port: int, **environment: str) -> Running:
        """Start a channel process for this mail server."""
        return self._start("channel", self._ours("channel"), {"PERENNIAL_SMTP_PORT": str(port), **environment})

    @contextmanager
    def supervised(self, *arguments: str, **environment: str) -> Iterator[Running]:
        """Run `perennial ARGUMENTS` as operators do, under its supervisor, and stop both in good order."""
        running = self._start(
            arguments[0],
            [sys.executable, "-m", "deploy.cli", *arguments],
            {"PERENNIAL_STATE_DIR": str(self.folder / "state"), **environment},
        )
        try:
            yield running
        finally:
            running.signal(signal.SIGTERM)
            running.ended()

    def close(self) -> None:
        """End whatever still runs, and leave no topics behind: a shared broker slows down under thousands."""
        for running in self._running:
            if running.process.poll() is None:
                with suppress(ProcessLookupError):
                    running.process.send_signal(signal.SIGCONT)
                    running.process.kill()
                running.process.wait(10)
        self.producer.close()
        for reader in self._readers.values():
            reader.close()
        TopicAdmin(self.kafka).delete(TOPICS)

    def _ours(self, what: str) -> list[str]:
        return [sys.executable, "-m", "tests.delivering.process", what]

    def _start(
        self, name: str, command: list[str], environment: Mapping[str, str], stdout: int | None = None
    ) -> Running:
        log = self.folder / f"{name}-{len(self._running)}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                command,
                env={**os.environ, **self._settings(), **self.environment, **environment},
                stdout=stdout or file,
                stderr=file,
                text=True,
            )
        running = Running(process, log)
        self._running.append(running)
        return running

    def _settings(self) -> dict[str, str]:
        return {
            "PERENNIAL_BOOTSTRAP_SERVERS": self.bootstrap,
            "PERENNIAL_REDIS_URL": self.redis_url,
            "PERENNIAL_TOPIC_PREFIX": self.prefix,
            "PERENNIAL_PARTITIONS": str(PARTITIONS),
            "PERENNIAL_MASTER_KEY": self.master_text,
        }

    # ---- evidence ---------------------------------------------------------------------------------------------------

    def received(self) -> list[dict[str, object]]:
        """The mails that the provider acted on."""
        return [row for row in self.inbox_rows() if row["line"] == "received" and row["acted"]]

    def inbox_rows(self) -> list[dict[str, object]]:
        """All rows of the provider's inbox."""
        if not self.inbox.exists():
            return []
        with self.inbox.open() as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def times_received(self) -> Counter[str]:
        """How often each touch was acted on."""
        return Counter(str(row["key"]) for row in self.received())

    def receipts(self) -> list[ReceiptGiven]:
        """Every committed receipt."""
        return [self.codec.decode(value, ReceiptGiven) for value in self._values(topics.RECEIPT) if value]

    def ledger(self) -> list[LedgerRow]:
        """Every committed ledger row, in order within a touch."""
        return [self.codec.decode(value, LedgerRow) for value in self._values(LEDGER) if value]

    def in_doubt(self) -> set[str]:
        """Touches with an intent and no result now."""
        last = {str(row.touch_key): row.stage for row in self.ledger()}
        return {key for key, stage in last.items() if stage is LedgerStage.INTENT}

    def begun_more_than_once(self) -> set[str]:
        """Touches that a second process found in doubt: their one attempt has several intents."""
        intents = Counter(str(row.touch_key) for row in self.ledger() if row.stage is LedgerStage.INTENT)
        return {key for key, times in intents.items() if times > 1}

    def surplus(self) -> set[str]:
        """Touches that the provider acted on more than once."""
        return {key for key, times in self.times_received().items() if times > 1}

    def _values(self, topic: str) -> list[bytes | None]:
        """Every committed value up to the end that the topic has now; one reader a topic, so that asking is cheap."""
        tps = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        if topic not in self._readers:
            self._readers[topic] = PartitionReader(self.kafka)
            self._readers[topic].assign(Position(*tp, BEGINNING) for tp in tps)
        reader, read, ends = self._readers[topic], self._read.setdefault(topic, []), self._positions.end_offsets(tps)
        deadline = time.monotonic() + READ_WITHIN_S
        while any(reader.positions()[tp] < ends[tp] for tp in tps):
            assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
            read.extend(record.value for record in reader.poll())
        return read


def a_command(customer: str, **changes: object) -> SendTouch:
    """A command for a customer that may be sent now, for an hour."""
    now_ms = wall_ms()
    fields: dict[str, object] = {
        "customer_id": CustomerId(customer),
        "contract_id": ContractId(f"k-{customer}"),
        "term_id": TermId("2026"),
        "step": StepName("t7"),
        "channel": Channel.EMAIL,
        "revision": 0,
        "attempt": 1,
        "not_before_at_ms": now_ms - 1_000,
        "send_by_at_ms": now_ms + HOUR_MS,
        "decided_at_ms": now_ms - 1_000,
        "opens_at_ms": now_ms - 1_000,
        "closes_at_ms": now_ms + HOUR_MS,
        "policy_number": 1,
        "template": "renewal",
        "locale": "en",
        "zone": "UTC",
        "contract_version": 1,
        "starts_on": date(2026, 1, 1),
        "expires_on": date(2026, 12, 31),
        "product_name": "Archive",
        "amount_minor": 1_200_000,
        "currency": "CNY",
        "modules": 3,
        "discount_basis_points": 1_250,
        **changes,
    }
    key = touch_key(str(fields["contract_id"]), "2026", "t7", "email", 0)
    return SendTouch(touch_key=key, **fields)  # type: ignore[arg-type]  # the dictionary is checked by the codec


def _stdout(process: subprocess.Popen[str]) -> IO[str]:
    if process.stdout is None:
        raise AssertionError("started without a pipe")
    return process.stdout
