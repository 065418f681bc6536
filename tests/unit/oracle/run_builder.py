"""Writes runs by hand, record by record, the way a system would have left them; no Kafka, one partition."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeAlias, TypeVar

import msgspec

from schemas import topics
from schemas.events import (
    ContractChanged,
    CustomerChanged,
    PaymentRecorded,
    PolicyPublished,
    ReceiptGiven,
    RequestMade,
    Tick,
)
from schemas.identity import hold_fence, touch_key
from schemas.outputs import DecisionMade, FenceRaised, HeartbeatSent, SendTouch
from schemas.vocabulary import Channel, FenceKind, Outcome, PaymentKind, Reason, RequestKind, Verdict
from tests.oracle.bundle import Bundle, Contact, InboxRow, Logged, Manifest, NemesisRow, decoders

Field: TypeAlias = Any  # whatever the record takes; msgspec judges it when it is encoded
T = TypeVar("T")

COMMANDS = topics.command_topic(Channel.EMAIL)
ZONE = "Asia/Shanghai"
EXPIRES_ON = date(2026, 9, 10)  # a Thursday: t90 Fri 12 June, t30 Tue 11 Aug, t7 Thu 3 Sep, t3 Mon 7 Sep
CLOSING: dict[str, Any] = {
    "name": "closing",
    "default_zone": "Asia/Shanghai",
    "cadence": [{"name": f"t{days}", "days": days, "channel": "email"} for days in (90, 30, 7, 3, 0)],
    "send_hours": {"opens": "09:00", "closes": "18:00", "working_days": [1, 2, 3, 4, 5]},
    "windows": [{"from_days": 30, "lasts_days": 7}, {"from_days": 1, "lasts_days": 2}],
    "caps": {"per_local_day": 1, "per_period": 3, "period_ms": 604_800_000, "exempt_steps": ["t0"]},
    "delivery": {"send_within_ms": 14_400_000, "call_timeout_ms": 60_000},
}


def ms(moment: str) -> int:
    """Read an instant such as `2026-06-12T01:00Z`."""
    return int(datetime.fromisoformat(moment).timestamp() * 1_000)


@dataclass
class RunBuilder:
    """One run in the making; every record advances the wall clock by a millisecond."""

    is_virtual: bool = True
    wall_ms: int = ms("2026-05-01T00:00Z")
    now_ms: int = 0
    logged: dict[str, list[Logged]] = field(default_factory=dict)
    inbox: list[InboxRow] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    nemesis: list[NemesisRow] = field(default_factory=list)
    contracts: dict[str, ContractChanged] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)

    def log(self, topic: str, key: str, record: msgspec.Struct | None, *, refused: str = "") -> int:
        """Append a record and give its offset."""
        log = self.logged.setdefault(topic, [])
        self.wall_ms += 1
        log.append(Logged(topic, 0, len(log), self.wall_ms, key.encode(), record, refused))
        return len(log) - 1

    def start(self) -> "RunBuilder":
        """Publish the closing policy."""
        return self.policy(1)

    def policy(self, number: int, *, without: str = "") -> "RunBuilder":
        """Publish the closing policy under a number, perhaps without one of its steps."""
        cadence = [step for step in CLOSING["cadence"] if step["name"] != without]
        content = msgspec.json.encode(CLOSING | {"cadence": cadence}).decode()
        policy = _made(
            PolicyPublished, event_id="e", number=number, published_at_ms=0, content=content, content_hash=""
        )
        self.log(topics.POLICY, "p0", policy)
        return self

    def customer(self, customer_id: str = "c1", **fields: Field) -> "RunBuilder":
        """Publish a customer record and its contact."""
        given: dict[str, Field] = {"version": 1, "zone": ZONE, "reachable": (Channel.EMAIL,)} | fields
        email = given.pop("email", f"{customer_id}@example.com")
        self.names[customer_id] = given.pop("name", f"Customer {customer_id}")
        record = _made(CustomerChanged, event_id="e", customer_id=customer_id, occurred_at_ms=0, **given)
        self.log(topics.CUSTOMER, customer_id, record)
        self.contacts.append(
            Contact(customer_id=customer_id, version=record.version, name=self.names[customer_id], email=email)
        )
        return self

    def contract(self, contract_id: str = "k1", customer_id: str = "c1", **fields: Field) -> "RunBuilder":
        """Publish one version of a contract's term `t`."""
        given: dict[str, Field] = {
            "version": 1,
            "term_id": "t",
            "starts_on": date(2025, 9, 11),
            "expires_on": EXPIRES_ON,
            "product_name": "Ledger",
            "amount_minor": 1_200_000,
            "currency": "CNY",
        } | fields
        record = _made(
            ContractChanged,
            event_id="e",
            customer_id=customer_id,
            contract_id=contract_id,
            occurred_at_ms=0,
            **given,
        )
        self.log(topics.CONTRACT, customer_id, record)
        self.contracts[contract_id] = record
        return self

    def pay(self, contract_id: str = "k1", customer_id: str = "c1", **fields: Field) -> "RunBuilder":
        """Publish a payment for term `t`."""
        given: dict[str, Field] = {"version": 1, "kind": PaymentKind.PAID, "payment_id": "p"} | fields
        record = _made(
            PaymentRecorded,
            event_id="e",
            customer_id=customer_id,
            contract_id=contract_id,
            term_id="t",
            occurred_at_ms=0,
            **given,
        )
        self.log(topics.PAYMENT, customer_id, record)
        return self

    def ask(self, kind: RequestKind, customer_id: str = "c1", **fields: Field) -> "RunBuilder":
        """Publish a request; stop and start go to the partition."""
        is_partition = kind in {RequestKind.STOP, RequestKind.START}
        owner = "" if is_partition else customer_id
        record = _made(RequestMade, event_id="e", customer_id=owner, occurred_at_ms=self.wall_ms, kind=kind, **fields)
        self.log(topics.REQUEST, "p0" if is_partition else customer_id, record)
        return self

    def poison(self, topic: str, customer_id: str = "c1") -> "RunBuilder":
        """Publish a record that cannot be decoded, and the system's hold."""
        self.log(topic, customer_id, None, refused="undecodable")
        fence = FenceRaised(
            fence_key=hold_fence(customer_id), kind=FenceKind.HOLD, raised_at_ms=0, customer_id=customer_id
        )
        self.log(topics.FENCE, hold_fence(customer_id), fence)
        return self

    def tick(self, moment: str | int, *, blind_to: str = "") -> "RunBuilder":
        """Let time pass: on a real clock the wall moves along; `blind_to` is a topic the barrier forgets."""
        self.now_ms = ms(moment) if isinstance(moment, str) else moment
        self.wall_ms = self.now_ms if not self.is_virtual else self.wall_ms + 1_000
        barrier = {topic: len(self.logged.get(topic, ())) for topic in topics.BARRIER if topic != blind_to}
        offset = self.log(topics.TICK, "p0", Tick(now_ms=self.now_ms, barrier=barrier))
        self._beat(offset)
        return self

    def _beat(self, tick_offset: int, outstanding: int = 0) -> None:
        heartbeat = HeartbeatSent(
            partition=0,
            watermark_at_ms=self.now_ms,
            fresh_at_ms=self.now_ms,
            next_alarm_at_ms=0,
            outstanding=outstanding,
            tick_offset=tick_offset,
        )
        self.log(topics.FENCE, "heartbeat", heartbeat)

    def decide(
        self, step: str, verdict: Verdict, reason: Reason, contract_id: str = "k1", **fields: Field
    ) -> "RunBuilder":
        """Write a decision at the current watermark."""
        contract = self.contracts[contract_id]
        given: dict[str, Field] = {"revision": 0, "attempt": 0, "decided_at_ms": self.now_ms} | fields
        record = _made(
            DecisionMade,
            touch_key=touch_key(contract_id, "t", step, "email", given["revision"]),
            customer_id=contract.customer_id,
            contract_id=contract.contract_id,
            term_id=contract.term,
            step=step,
            channel=Channel.EMAIL,
            verdict=verdict,
            reason=reason,
            policy_number=1,
            **given,
        )
        self.log(topics.DECISION, contract.customer_id, record)
        return self

    def command(self, step: str, contract_id: str = "k1", **fields: Field) -> "RunBuilder":
        """Release a touch at the current watermark."""
        contract = self.contracts[contract_id]
        given: dict[str, Field] = {"revision": 0, "attempt": 1, "send_by_at_ms": self.now_ms + 60_000} | fields
        record = _made(
            SendTouch,
            touch_key=touch_key(contract_id, "t", step, "email", given["revision"]),
            customer_id=contract.customer_id,
            contract_id=contract.contract_id,
            term_id=contract.term,
            step=step,
            channel=Channel.EMAIL,
            not_before_at_ms=self.now_ms,
            decided_at_ms=self.now_ms,
            opens_at_ms=self.now_ms,
            closes_at_ms=self.now_ms,
            policy_number=1,
            template="renewal",
            locale="",
            zone=ZONE,
            contract_version=contract.version,
            starts_on=contract.starts_on,
            expires_on=contract.expires_on,
            product_name=contract.product_name,
            amount_minor=contract.amount_minor,
            currency=contract.currency,
            **given,
        )
        self.log(COMMANDS, contract.customer_id, record)
        return self.decide(
            step, Verdict.RELEASED, Reason.DUE, contract_id, revision=given["revision"], attempt=given["attempt"]
        )

    def receive(self, step: str, contract_id: str = "k1", **fields: Field) -> "RunBuilder":
        """Let the provider's inbox take a mail."""
        contract = self.contracts[contract_id]
        self.wall_ms += 1
        given: dict[str, Field] = {"revision": 0, "attempt": 1, "acted": True, "answered_code": 250} | fields
        amount = f"{contract.amount_minor / 100:,.2f} {contract.currency}"
        text = (
            f"Dear {self.names[contract.customer_id]}, {contract.product_name} ends on {contract.expires_on}: {amount}."
        )
        text = given.pop("text", text)
        self.inbox.append(
            InboxRow(
                seq=len(self.inbox),
                channel="email",
                key=touch_key(contract_id, "t", step, "email", given.pop("revision")),
                received_ms=given.pop("received_ms", self.wall_ms),
                recipient=given.pop("recipient", f"{contract.customer_id}@example.com"),
                subject="Your renewal",
                text=text,
                body_sha256=hashlib.sha256(text.encode()).hexdigest(),
                **given,
            )
        )
        return self

    def receive_command(self, command: SendTouch, recipient: str, *, acted: bool, answered_code: int) -> None:
        """Let the provider's inbox take, or refuse, the mail of a command as it was bound."""
        self.wall_ms += 1
        amount = f"{command.amount_minor / 100:,.2f} {command.currency}"
        text = f"Dear {self.names[command.customer_id]}, {command.product_name} ends on {command.expires_on}: {amount}."
        row = InboxRow(
            seq=len(self.inbox),
            channel="email",
            key=command.touch_key,
            attempt=command.attempt,
            received_ms=self.wall_ms,
            acted=acted,
            answered_code=answered_code,
            recipient=recipient,
            text=text,
            body_sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
        self.inbox.append(row)

    def receipt(self, step: str, outcome: Outcome, contract_id: str = "k1", **fields: Field) -> "RunBuilder":
        """Let the channel report."""
        contract = self.contracts[contract_id]
        given: dict[str, Field] = {"revision": 0, "attempt": 1, "heartbeat_at_ms": self.now_ms} | fields
        record = _made(
            ReceiptGiven,
            event_id="e",
            customer_id=contract.customer_id,
            contract_id=contract.contract_id,
            term_id=contract.term,
            step=step,
            channel=Channel.EMAIL,
            touch_key=touch_key(contract_id, "t", step, "email", given["revision"]),
            outcome=outcome,
            reported_at_ms=self.now_ms,
            **given,
        )
        self.log(topics.RECEIPT, contract.customer_id, record)
        return self

    def send(self, step: str, contract_id: str = "k1") -> "RunBuilder":
        """Everything that a touch leaves behind which goes well."""
        self.command(step, contract_id).receive(step, contract_id)
        self.receipt(step, Outcome.ACCEPTED, contract_id)
        return self.decide(step, Verdict.SENT, Reason.ACCEPTED, contract_id, attempt=1)

    def crash(self, target: str, *, kind: str = "kill", until: str = "") -> "RunBuilder":
        """Write a fault that begins now into the nemesis log."""
        to_ms = ms(until) if until else self.wall_ms
        row = NemesisRow(from_ms=self.wall_ms, to_ms=to_ms, kind=kind, target=target, proof={"exit": -9})
        self.nemesis.append(row)
        return self

    def bundle(self, *, grace_days: int = 10) -> Bundle:
        """Let the last tick pass and hand everything over."""
        self.tick(self.now_ms + grace_days * 86_400_000)
        given: dict[str, Field] = {
            "seed": 1,
            "partitions": 1,
            "is_virtual": self.is_virtual,
            "horizon_ms": self.now_ms,
        } | self.manifest
        decode = decoders(("email",))
        return Bundle(
            manifest=Manifest(**given),
            topics={topic: tuple(self.logged.get(topic, ())) for topic in decode},
            inbox=tuple(msgspec.structs.replace(row) for row in self.inbox),
            contacts=tuple(self.contacts),
            nemesis=tuple(self.nemesis),
            decode=decode,
        )


def without(bundle: Bundle, topic: str, offset: int) -> Bundle:
    """A bundle in which one record never was."""
    kept = tuple(one for one in bundle.topics[topic] if one.offset != offset)
    return replace(bundle, topics={**bundle.topics, topic: kept})


def _made(kind: Callable[..., T], /, **fields: Field) -> T:
    """Make a record from plain values; identifiers are plain strings here."""
    return kind(**fields)
