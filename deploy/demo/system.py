"""A whole system as child processes on a given cluster: what the demo runs, and what end-to-end tests try hard."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from connectors.contacts.crypto import new_master_key
from connectors.contacts.master_key import master_key_from
from connectors.contacts.sealing import ContactSealer
from connectors.settings import ConnectorSettings
from connectors.sources.ingest import Ingestion
from deploy.demo.bundle import inbox_of
from deploy.local.ports import free_ports
from deploy.local.process import OwnedProcess
from deploy.processes import Fleet
from deploy.publishing import SOME_REJECTED
from schemas.codec import Codec, packaged_codec
from schemas.errors import PerennialError
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel

_VERB_WITHIN_S = 120


class VerbFailed(PerennialError):
    """A command of ours ended with an error; the message carries what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPlan:
    """Where a system lives and what it is like; `faults` and `rules` are the mail simulator's."""

    bootstrap_servers: str
    redis_url: str
    folder: Path
    topic_prefix: str = ""
    application: str = "demo"
    partitions: int = 4
    is_virtual: bool = True
    in_flight: int = 64
    session_timeout_ms: int = 6_000
    faults: str = ""
    rules: tuple[str, ...] = ()
    seed: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)


class System:
    """The processes of one system; leaving the `with` block ends all of them, whatever happened."""

    def __init__(self, plan: SystemPlan) -> None:
        """Describe it; nothing starts yet."""
        self.plan = plan
        self.smtp_port = free_ports(1)[0]
        self.environment = self._environment() | dict(plan.environment)
        self.fleet = Fleet(self.environment)

    def __enter__(self) -> Self:
        """Open the fleet."""
        self.plan.folder.mkdir(parents=True, exist_ok=True)
        self.fleet.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process."""
        self.fleet.__exit__(kind, error, trace)

    @property
    def inbox(self) -> Path:
        """What the mail simulator received."""
        return inbox_of(self.plan.folder, Channel.EMAIL)

    @property
    def codec(self) -> Codec:
        """How records are written here."""
        return packaged_codec()

    def kafka(self) -> KafkaSettings:
        """Client settings, prefix included."""
        return KafkaSettings(bootstrap_servers=self.plan.bootstrap_servers, topic_prefix=self.plan.topic_prefix)

    def ingestion(self) -> Ingestion:
        """What turns rows into records here, sealed under this system's own master key."""
        settings = ConnectorSettings(
            bootstrap_servers=self.plan.bootstrap_servers,
            redis_url=self.plan.redis_url,
            master_key=SecretStr(self.environment["PERENNIAL_MASTER_KEY"]),
        )
        return Ingestion(encode=self.codec.encode, sealer=ContactSealer(master=master_key_from(settings)), now_ms=None)

    def publish(self, file: Path) -> str:
        """Publish a file, some of whose rows may be rejected, and return what the command printed."""
        return self._run(("publish", str(file)), {}, ok=frozenset({0, SOME_REJECTED}))

    def install(self, policy: Path) -> None:
        """Create the topics and put a policy in force."""
        self.verb("topics", "apply")
        self.verb("policy", "publish", str(policy))

    def start_delivery(self) -> None:
        """Start the mail simulator, the contact store's keeper and the e-mail channel."""
        self.start_provider(*self.plan.rules)
        self.fleet.perennial("contacts", "contacts", "--no-supervised")
        self.fleet.perennial("channel-email", "channel", "email", "--no-supervised")

    def start_provider(self, *rules: str) -> OwnedProcess:
        """Start the mail simulator, which treats recipients by these rules; its inbox goes on."""
        given = [part for rule in rules for part in ("--rule", rule)]
        return self.fleet.python(
            "smtp",
            *("-m", "connectors.simulators.smtp", "--port", str(self.smtp_port), "--inbox", str(self.inbox.resolve())),
            *("--seed", str(self.plan.seed), "--fault", self.plan.faults, *given),
        )

    def start_worker(self, number: int, **environment: str) -> OwnedProcess:
        """Start worker `number` without a supervisor, so that its death is seen; its store is its own."""
        state_dir = str((self.fleet.den.folder / f"worker-{number}").resolve())
        return self.fleet.perennial(
            f"worker-{number}", "worker", "--no-supervised", PERENNIAL_STATE_DIR=state_dir, **environment
        )

    def verb(self, *arguments: str, is_ok: bool = True, environment: Mapping[str, str] | None = None) -> str:
        """Run a command of ours to its end and return what it printed; VerbFailed when it must succeed and does not."""
        return self._run(arguments, environment or {}, ok=frozenset({0}) if is_ok else None)

    def _run(self, arguments: Sequence[str], environment: Mapping[str, str], *, ok: frozenset[int] | None) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env=self.fleet.environment_of({"COLUMNS": "300", "NO_COLOR": "1"} | dict(environment)),
            cwd=self.plan.folder,
            capture_output=True,
            text=True,
            timeout=_VERB_WITHIN_S,
            check=False,
        )
        if ok is not None and done.returncode not in ok:
            raise VerbFailed(
                f"perennial {' '.join(arguments)} ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        plan = self.plan
        return {
            "PERENNIAL_BOOTSTRAP_SERVERS": plan.bootstrap_servers,
            "PERENNIAL_REDIS_URL": plan.redis_url,
            "PERENNIAL_TOPIC_PREFIX": plan.topic_prefix,
            "PERENNIAL_APPLICATION": plan.application,
            "PERENNIAL_PARTITIONS": str(plan.partitions),
            "PERENNIAL_VIRTUAL_TIME": str(plan.is_virtual).lower(),
            "PERENNIAL_SESSION_TIMEOUT_MS": str(plan.session_timeout_ms),
            "PERENNIAL_IN_FLIGHT": str(plan.in_flight),
            "PERENNIAL_SMTP_HOST": "127.0.0.1",
            "PERENNIAL_SMTP_PORT": str(self.smtp_port),
            "PERENNIAL_MASTER_KEY": new_master_key(),
        }
