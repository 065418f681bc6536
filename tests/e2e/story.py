"""A small system on real Kafka whose days a test turns by hand: publish, let time pass, kill, look into the inbox."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from connectors.queries.topic_records import records_in, records_of_customer
from connectors.sources.publisher import Outgoing, Publisher
from deploy.demo.days import turn
from deploy.demo.inbox import accepted_mails
from deploy.demo.system import System, SystemPlan
from deploy.hand_stack import preset
from schemas import topics
from schemas.identity import touch_parts
from schemas.spelling import spelled_instant
from schemas.transport.admin import TopicAdmin
from schemas.transport.deadline import Deadline
from schemas.transport.records import Record
from schemas.vocabulary import Channel

MONDAY = "2026-02-02T00:00:00Z"
PARTITIONS = 2
SESSION_TIMEOUT_MS = 3_000  # of two busy cores; a killed worker's partitions come back after it
WITHIN_MS = 30_000
WORKER, CHANNEL = "worker-1", "channel-email"
ZONE = "Europe/Berlin"  # 09:00 local is 08:00 UTC in February


@dataclass(slots=True)
class Story:
    """One system in a test's hands; domain time starts on a Monday in February and moves only when told to."""

    system: System
    now: str = MONDAY
    _files: Iterator[int] = count(1)  # noqa: RUF009  one count for all is as good as one each

    def publish(self, *rows: Mapping[str, object]) -> str:
        """Publish rows as a person would, from a file; returns what the command printed."""
        return self.system.verb("publish", str(self.file(*rows)))

    def file(self, *rows: Mapping[str, object]) -> Path:
        """Write rows into a file of their own."""
        path = self.system.plan.folder / f"rows-{next(self._files)}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    def publish_raw(self, topic: str, customer_id: str, value: bytes) -> None:
        """Publish bytes under a customer's key, as a broken sender would."""
        with Publisher(self.system.kafka(), "broken-sender") as publisher:
            publisher.publish([Outgoing(topic=topic, key=customer_id.encode(), value=value)])

    def pass_time(self, until: str) -> None:
        """Let domain time pass, in lock-step; returns when the last instant is done with everywhere."""
        turn(self.system, from_ms=spelled_instant(self.now) + 1, until_ms=spelled_instant(until))
        self.now = until

    def passing_time(self, until: str) -> "Future[str]":
        """Let domain time pass while the test does other things; the result comes at the last instant."""
        began, self.now = self.now, until
        return self.beside("clock", "--virtual", "--from", began, "--until", until)

    def beside(self, *arguments: str) -> "Future[str]":
        """Run a command of ours while the test goes on; its result is what it printed."""
        runner = ThreadPoolExecutor(1)
        future = runner.submit(self.system.verb, *arguments)
        runner.shutdown(wait=False)
        return future

    def provider_recovers(self) -> None:
        """From now on the provider accepts what it refused by rule."""
        self.system.fleet.members["smtp"].stop()
        self.system.start_provider()

    def requests_arrived(self, count: int) -> None:
        """Wait until so many requests are in their topic."""
        arrived = (topics.REQUEST, PARTITIONS)
        awaited(lambda: sum(1 for _ in records_in(self.system.kafka(), *arrived)) >= count, f"{count} requests")

    def mails(self) -> list[tuple[str, str]]:
        """What the provider accepted, in order, as (contract, step)."""
        return [(parts[0], parts[2]) for parts in (touch_parts(mail.key) for mail in accepted_mails(self.system.inbox))]

    def calls(self, customer_id: str) -> list[str]:
        """What the provider did with every mail it was ever offered for a customer; `none` stands for no fault."""
        if not self.system.inbox.exists():
            return []
        rows = (json.loads(line) for line in self.system.inbox.read_text(encoding="utf-8").splitlines())
        return [row["fault"] for row in rows if row.get("recipient") == address_of(customer_id)]

    def records(self, topic: str, customer_id: str) -> list[Record]:
        """A customer's committed records in a topic, in order."""
        return list(records_of_customer(self.system.kafka(), topic, PARTITIONS, customer_id))

    def explain(self, customer_id: str) -> str:
        """What `perennial explain` says, in one line each."""
        return self.system.verb("explain", customer_id)

    def await_explained(self, customer_id: str, words: str) -> None:
        """Wait until `perennial explain` says this of a customer."""
        awaited(lambda: words in self.explain(customer_id), f"explain {customer_id} to say {words!r}")

    def kill(self, name: str) -> None:
        """End a process with kill -9."""
        victim = self.system.fleet.members[name]
        victim.kill()
        assert victim.end() == -9

    def kill_worker(self) -> None:
        """End the worker with kill -9 and start it again."""
        self.kill(WORKER)
        self.system.start_worker(1)

    def lose_store(self) -> None:
        """End the worker with kill -9, delete its local store, and start its successor."""
        store = self.system.fleet.den.folder / WORKER
        awaited(lambda: any(part.suffix == ".log" for part in store.rglob("*")), "a store to lose")
        self.kill(WORKER)
        shutil.rmtree(store)
        self.system.start_worker(1)

    def start_channel(self) -> None:
        """Start the e-mail channel."""
        self.system.fleet.perennial(CHANNEL, "channel", "email", "--no-supervised")


@contextmanager
def a_system(where: SystemPlan, *, policy: str | None = None) -> Iterator[Story]:
    """Install and start a system of one worker under the preset policy, or another one, or (empty) none at all.

    Every process and topic is gone afterwards; the logs are kept in its folder.
    """
    try:
        with System(where) as system:
            system.verb("topics", "apply")
            _publish_policy(system, preset() if policy is None else policy)
            system.start_delivery()
            system.start_worker(1)
            try:
                yield Story(system)
            finally:
                system.fleet.keep_logs(where.folder / "logs")
    finally:
        known = topics.catalogue(application=where.application, channels=(Channel.EMAIL,))
        TopicAdmin(system.kafka()).delete([topic.name for topic in known])


def _publish_policy(system: System, content: str) -> None:
    if content:
        path = system.plan.folder / "policy.yaml"
        path.write_text(content, encoding="utf-8")
        system.verb("policy", "publish", str(path))


def awaited(is_so: Callable[[], bool], what: str) -> None:
    """Look until it is so; fails after a deadline and says what was waited for."""
    deadline = Deadline(WITHIN_MS)
    while not is_so():
        assert not deadline.has_passed(), f"waited {WITHIN_MS} ms in vain for {what}"
        deadline.pause()


def address_of(customer_id: str) -> str:
    """Where the mails of a customer go."""
    return f"{customer_id.lower()}@mail.example"


def customer(customer_id: str, **fields: object) -> dict[str, object]:
    """A reachable customer in Berlin."""
    contact = {"name": f"A&B {customer_id}", "email": address_of(customer_id)}
    born: dict[str, object] = {"type": "customer", "customer_id": customer_id, "version": 1, "occurred_at": MONDAY}
    return born | {"zone": ZONE, "locale": "en", "contact": contact} | fields


def contract(customer_id: str, contract_id: str, expires_on: str, **fields: object) -> dict[str, object]:
    """A contract of a year with a named term."""
    born: dict[str, object] = {"type": "contract", "customer_id": customer_id, "contract_id": contract_id}
    terms = {"term_id": "T", "starts_on": "2025-02-01", "expires_on": expires_on, "product_name": "R&D <Pro>"}
    amounts = {"amount_minor": 1_200_000, "currency": "EUR", "modules": 3, "billing_cycle": "annual"}
    return born | {"version": 1, "occurred_at": MONDAY} | terms | amounts | fields


def payment(customer_id: str, contract_id: str, **fields: object) -> dict[str, object]:
    """The payment that settles that term."""
    born: dict[str, object] = {"type": "payment", "customer_id": customer_id, "contract_id": contract_id}
    facts = {"payment_id": f"P-{contract_id}", "version": 1, "term_id": "T", "kind": "paid", "currency": "EUR"}
    return born | facts | {"occurred_at": MONDAY, "amount_minor": 1_200_000} | fields


def request(customer_id: str, kind: str, **fields: object) -> dict[str, object]:
    """A wish of a customer, such as `opted_out` or `erasure`."""
    born: dict[str, object] = {"type": "request", "customer_id": customer_id, "kind": kind}
    return born | {"occurred_at": "2026-02-02T06:00:00Z"} | fields
