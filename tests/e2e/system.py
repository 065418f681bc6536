"""A small real system for end-to-end tests: every process and every verb by the command line, as a person would.

Domain time is virtual: it stands still until a test lets it pass, and only ever goes forward. What a test sees is what
an operator sees: the text of a verb, and the provider's inbox.
"""

import json
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

from connectors.queries.topic_records import records_of_customer
from connectors.sources.publisher import Outgoing, Publisher
from deploy.demo.inbox import accepted_mails
from deploy.demo.system import System, SystemPlan
from deploy.hand_stack import preset
from deploy.local.process import OwnedProcess
from schemas.identity import touch_parts
from schemas.topics import catalogue
from schemas.transport.admin import TopicAdmin
from schemas.transport.records import Record
from schemas.vocabulary import Channel
from tests.e2e.rows import Row, address_of

BEGINNING = datetime(2026, 2, 2, tzinfo=UTC)  # a Monday
PARTITIONS = 2
SESSION_TIMEOUT_MS = 3_000
WORKER = "worker-1"
CHANNEL = "channel-email"
PROVIDER = "smtp"
WITHIN_S = 40.0
_LOOK_AGAIN_S = 0.1


@dataclass(slots=True, kw_only=True)
class LiveSystem:
    """One system in the hands of tests: one worker, the e-mail channel, a contact store, a mail provider."""

    system: System
    now: datetime = BEGINNING
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def verb(self, *arguments: str) -> str:
        """Run `perennial ARGUMENTS`; returns what it printed. VerbFailed when it ends with an error."""
        return self.system.verb(*arguments)

    def try_verb(self, *arguments: str) -> str:
        """Run `perennial ARGUMENTS`, whether it may succeed or not."""
        return self.system.verb(*arguments, is_ok=False)

    def beside(self, *arguments: str) -> OwnedProcess:
        """Run `perennial ARGUMENTS` while the test goes on; its `log` holds what it prints."""
        name = f"{arguments[0]}-{next(self._numbers)}"
        return self.system.fleet.perennial(name, *arguments, COLUMNS="300", NO_COLOR="1")

    def file(self, *rows: Row) -> Path:
        """Write rows into a new file, one JSON object a line."""
        path = self.system.plan.folder / f"rows-{next(self._numbers)}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    def publish(self, *rows: Row) -> str:
        """Publish rows from a file; returns what the command printed."""
        return self.verb("publish", str(self.file(*rows)))

    def publish_bytes(self, topic: str, customer_id: str, value: bytes) -> None:
        """Put bytes under a customer's key, as a broken sender would."""
        with Publisher(self.system.kafka(), f"broken-sender-{uuid.uuid4()}") as publisher:
            publisher.publish([Outgoing(topic=topic, key=customer_id.encode(), value=value)])

    def pass_until(self, instant: datetime) -> None:
        """Let domain time pass in lock-step; returns when the last instant is done with, receipts included."""
        self.verb(*self._clock_until(instant))

    def passing_until(self, instant: datetime) -> OwnedProcess:
        """Let domain time pass while the test does other things; `await_end` waits for it."""
        return self.beside(*self._clock_until(instant))

    def next_monday(self) -> date:
        """Let domain time pass to the next Monday 00:00 UTC, and return that day."""
        monday = self.now.date() + timedelta(days=7 - self.now.weekday())
        self.pass_until(datetime.combine(monday, datetime.min.time(), UTC))
        return monday

    def await_end(self, process: OwnedProcess) -> str:
        """Wait until a command that runs beside has ended well, and return what it printed."""
        poll(lambda: not process.is_running(), f"`{process.name}` to end")
        printed = process.log.read_text(encoding="utf-8")
        assert process.end() == 0, printed
        return printed

    def explain(self, customer_id: str) -> str:
        """What `perennial explain` says."""
        return self.verb("explain", customer_id)

    def await_explained(self, customer_id: str, *words: str) -> str:
        """Ask `perennial explain` until it says all of this."""
        told: list[str] = []

        def is_said() -> bool:
            told.append(self.explain(customer_id))
            return all(word in told[-1] for word in words)

        poll(is_said, f"explain {customer_id} to say {words}", lambda: told[-1])
        return told[-1]

    def mails(self, customer_id: str) -> list[str]:
        """The steps of the mails that the provider accepted for a customer, in order of arrival."""
        mine = (mail for mail in accepted_mails(self.system.inbox) if mail.recipient == address_of(customer_id))
        return [touch_parts(mail.key)[2] for mail in mine]

    def texts(self, customer_id: str) -> list[str]:
        """The text parts of those mails."""
        return [mail.text for mail in accepted_mails(self.system.inbox) if mail.recipient == address_of(customer_id)]

    def calls(self, customer_id: str) -> list[str]:
        """What the provider did with every mail it was ever offered for a customer: `none` is a normal acceptance."""
        if not self.system.inbox.exists():
            return []
        rows = (json.loads(line) for line in self.system.inbox.read_text(encoding="utf-8").splitlines())
        return [row["fault"] for row in rows if row.get("recipient") == address_of(customer_id)]

    def records(self, topic: str, customer_id: str) -> list[Record]:
        """A customer's committed records in a topic."""
        return list(records_of_customer(self.system.kafka(), topic, PARTITIONS, customer_id))

    def kill(self, name: str = WORKER) -> None:
        """End a process with kill -9."""
        victim = self.system.fleet.members[name]
        victim.kill()
        assert victim.end() == -9

    def start_worker(self) -> None:
        """Start the worker; a dead predecessor's partitions come after its session timeout."""
        self.system.start_worker(1)

    def kill_worker(self) -> None:
        """End the worker with kill -9 and start its successor."""
        self.kill()
        self.start_worker()

    def lose_store(self) -> None:
        """End the worker with kill -9, delete its local store, start its successor."""
        self.kill()
        store = self.system.fleet.den.folder / WORKER
        assert list(store.rglob("*.sst")) or list(store.rglob("*.log")), "there was no store to lose"
        shutil.rmtree(store)
        self.start_worker()

    def start_channel(self) -> None:
        """Start the e-mail channel."""
        self.system.fleet.perennial(CHANNEL, "channel", "email")

    def restart_provider(self, *rules: str) -> None:
        """Give the mail provider other faults, such as `refuse.*@=refuse`; none makes it healthy."""
        self.kill(PROVIDER)
        told = [part for rule in rules for part in ("--rule", rule)]
        where = ("--port", str(self.system.smtp_port), "--inbox", str(self.system.inbox.resolve()))
        self.system.fleet.python(PROVIDER, "-m", "connectors.simulators.smtp", *where, *told)

    def tails(self) -> Iterator[tuple[str, str]]:
        """The end of every process's log, by name."""
        for name, member in self.system.fleet.members.items():
            yield name, member.tail()

    def _clock_until(self, instant: datetime) -> tuple[str, ...]:
        began, self.now = self.now + timedelta(seconds=1), instant
        return "clock", "--virtual", "--from", _spelled(began), "--until", _spelled(instant)


@contextmanager
def live_system(where: SystemPlan, *, is_ruled: bool = True) -> Iterator[LiveSystem]:
    """Install and start a system; every process and topic is gone afterwards, the logs stay in its folder.

    `is_ruled` publishes the preset policy; without one, no partition applies a tick.
    """
    with System(where) as system:
        try:
            system.verb("topics", "apply")
            if is_ruled:
                system.verb("policy", "publish", str(policy_file(where.folder)))
            system.start_delivery()
            system.start_worker(1)
            yield LiveSystem(system=system)
        finally:
            system.fleet.keep_logs(where.folder / "logs")
    topics = catalogue(application=where.application, channels=(Channel.EMAIL,))
    TopicAdmin(system.kafka()).delete([topic.name for topic in topics])


def plan_of(bootstrap: str, redis_url: str, folder: Path, *rules: str) -> SystemPlan:
    """A system of its own: its topics, groups and contacts meet nobody else's; `rules` are the provider's faults."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    return SystemPlan(
        bootstrap_servers=bootstrap,
        redis_url=redis_url,
        folder=folder,
        topic_prefix=f"{name}-",
        application=name,
        partitions=PARTITIONS,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        rules=rules,
    )


def policy_file(folder: Path, content: str = "") -> Path:
    """Write a policy, the preset if none is given."""
    path = folder / f"policy-{uuid.uuid4().hex[:8]}.yaml"
    path.write_text(content or preset(), encoding="utf-8")
    return path


def poll(is_so: Callable[[], bool], what: str, last_seen: Callable[[], object] = str) -> None:
    """Look until it is so; fails after a deadline and says what was waited for, and what was seen last."""
    deadline, pause = time.monotonic() + WITHIN_S, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}; last seen: {last_seen()}"
        pause.wait(_LOOK_AGAIN_S)


def at(day: date, clock: str) -> datetime:
    """An instant in UTC: `at(monday, "08:30")`."""
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}:00+00:00")


def _spelled(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
