"""A small system on real Kafka whose days a test turns by hand: publish, let time pass, kill, look into the inbox."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from connectors.queries.topic_records import records_in
from connectors.sources.publisher import Outgoing, Publisher
from deploy.demo.days import turn
from deploy.demo.inbox import accepted_mails
from deploy.demo.system import System, SystemPlan
from deploy.hand_stack import preset
from schemas import topics
from schemas.identity import touch_parts
from schemas.spelling import spelled_instant
from schemas.transport.deadline import Deadline

MONDAY = "2026-02-02T00:00:00Z"
PARTITIONS = 2
SESSION_TIMEOUT_MS = 6_000
WITHIN_MS = 30_000
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
        deadline = Deadline(WITHIN_MS)
        while sum(1 for _ in records_in(self.system.kafka(), topics.REQUEST, PARTITIONS)) < count:
            assert not deadline.has_passed(), f"no {count} requests within {WITHIN_MS} ms"
            deadline.pause()

    def mails(self) -> list[tuple[str, str]]:
        """What the provider accepted, in order, as (contract, step)."""
        return [(parts[0], parts[2]) for parts in (touch_parts(mail.key) for mail in accepted_mails(self.system.inbox))]

    def explain(self, customer_id: str) -> str:
        """What `perennial explain` says, in one line each."""
        return self.system.verb("explain", customer_id)

    def kill_worker(self, number: int = 1) -> None:
        """End a worker with kill -9 and start it again."""
        victim = self.system.fleet.members[f"worker-{number}"]
        victim.kill()
        assert victim.end() == -9
        self.system.start_worker(number)


@contextmanager
def a_system(where: SystemPlan) -> Iterator[Story]:
    """Install and start a system of one worker; every process is ended afterwards, its logs kept in the folder."""
    with System(where) as system:
        policy = where.folder / "policy.yaml"
        policy.write_text(preset(), encoding="utf-8")
        system.install(policy)
        system.start_delivery()
        system.start_worker(1)
        try:
            yield Story(system)
        finally:
            system.fleet.keep_logs(where.folder / "logs")


def customer(customer_id: str, **fields: object) -> dict[str, object]:
    """A reachable customer in Berlin."""
    contact = {"name": f"A&B {customer_id}", "email": f"{customer_id.lower()}@mail.example"}
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
