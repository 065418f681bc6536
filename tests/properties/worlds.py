"""Random worlds for the real `step`: a perfect engine and channel in a few lines, so that only the judging is on trial.

The world publishes inputs at random instants, ticks in lock-step from alarm to alarm, delivers what is commanded with
some refusals, and leaves a bundle as a real run does.
"""

import hashlib
import random
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from processors.given import Given, Rejudge, Wake
from processors.policies import Policies
from processors.state import CustomerState, decode_state, encode_state
from processors.step import step
from schemas import topics
from schemas.events import PolicyPublished, ReceiptGiven
from schemas.identity import EventId
from schemas.outputs import SendTouch
from schemas.vocabulary import Channel, ContractStatus, Outcome, PaymentKind, ReceiptReason, RequestKind
from tests.oracle.bundle import Bundle
from tests.unit.oracle.run_builder import COMMANDS, Field, RunBuilder, ms

CLOSING = Path(__file__).parents[2].joinpath("processors", "presets", "closing.yaml").read_text(encoding="utf-8")
STEP_OF_CADENCE = re.compile(r"^  - \{ name: t\d.*\n", re.MULTILINE)
DAY_MS = 86_400_000
MOST_TICKS = 5_000  # a history of 100 days takes some 300
STARTS_ON = date(2026, 2, 20)
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Dublin", "Pacific/Chatham", "Asia/Kathmandu", "Mars/Base", "")
NAMES = ("A&B", "Null", 'O\'Hara "Q"', "Ж😀", "محمد", "Zoe\u0301")
ENDED = (ContractStatus.CANCELLED, ContractStatus.SUPERSEDED, ContractStatus.TRANSFERRED)
REVERSALS = (PaymentKind.REFUNDED, PaymentKind.CHARGED_BACK)


class World:
    """One history of a few customers over some days; the same seed, the same history."""

    def __init__(self, seed: int, *, customers: int = 12, days: int = 100) -> None:
        self.run = RunBuilder()
        self._random = random.Random(seed)
        self._starts_ms = ms(datetime.combine(STARTS_ON, datetime.min.time(), UTC).isoformat())
        self._ends_ms = self._starts_ms + days * DAY_MS
        self._scheduled: list[tuple[int, Callable[[], object]]] = []
        self._states: dict[str, bytes] = {}
        self._alarms: dict[str, int | None] = {}
        self._policies = Policies()
        self._queue: list[SendTouch] = []
        for number in range(customers):
            self._person(f"c{number}")
        self._maybe(0.5, self._drop_a_step)
        self._maybe(0.5, lambda: self._publish_policy(CLOSING))

    def _drop_a_step(self) -> None:
        dropped = self._random.choice(STEP_OF_CADENCE.findall(CLOSING)[:-1])
        self._publish_policy(CLOSING.replace(dropped, ""))

    def history(self) -> Bundle:
        """Let the days pass and hand over what they left."""
        self._publish_policy(CLOSING)
        waiting = sorted(self._scheduled, key=lambda one: one[0])
        now_ms: int | None = self._starts_ms
        while now_ms is not None and now_ms <= self._ends_ms:
            while waiting and waiting[0][0] <= now_ms:
                self._publish(waiting.pop(0)[1])
            self._tick(now_ms)
            due = [at_ms for at_ms in self._alarms.values() if at_ms is not None] + [one[0] for one in waiting[:1]]
            now_ms = max(now_ms + 1, min(due)) if due else None
        return self.run.bundle(grace_days=0)

    def _tick(self, now_ms: int) -> None:
        assert len(self.run.logged.get(topics.TICK, ())) < MOST_TICKS, f"alarms that never clear: {self._alarms}"
        self.run.tick(now_ms)
        beat = self.run.logged[topics.FENCE].pop()
        for customer_id, at_ms in list(self._alarms.items()):
            if at_ms is not None and at_ms <= now_ms:
                self._apply(customer_id, Wake())
        while self._queue:
            self._deliver(self._queue.pop(0))
        assert beat.record is not None
        self.run.log(topics.FENCE, "heartbeat", beat.record)

    def _publish_policy(self, content: str) -> None:
        policy = PolicyPublished(
            event_id=EventId("policy"),
            number=self._policies.number + 1,
            published_at_ms=0,
            content=content,
            content_hash=hashlib.sha256(content.encode()).hexdigest(),
        )
        self.run.log(topics.POLICY, "p0", policy)
        self._policies = self._policies.published(policy)
        for customer_id in list(self._states):
            self._apply(customer_id, Rejudge())

    def _publish(self, act: Callable[[], object]) -> None:
        known = {topic: len(self.run.logged.get(topic, ())) for topic in topics.HOLDING}
        act()
        for topic in topics.HOLDING:
            for logged in self.run.logged.get(topic, [])[known[topic] :]:
                assert logged.key is not None
                self._apply(logged.key.decode(), logged.record)  # type: ignore[arg-type]  # an input by its topic

    def _apply(self, customer_id: str, given: Given) -> None:
        saved = self._states.get(customer_id)
        state: CustomerState | None = None if saved is None else decode_state(saved)
        done = step(state, given, self._policies, self.run.now_ms)
        self._states[customer_id] = encode_state(done.state)
        self._alarms[customer_id] = done.alarm_at_ms
        for decision in done.decisions:
            self.run.log(topics.DECISION, customer_id, decision)
        for fence in done.fences:
            self.run.log(topics.FENCE, fence.fence_key, fence)
        for command in done.commands:
            self.run.log(COMMANDS, customer_id, command)
            self._queue.append(command)

    def _deliver(self, command: SendTouch) -> None:
        known = [contact for contact in self.run.contacts if contact.customer_id == command.customer_id]
        address = max(known, key=lambda contact: contact.version).email if known else None
        if not address:
            self._report(command, Outcome.REFUSED, ReceiptReason.NO_CONTACT)
            return
        outcome, reason, code = self._random.choices(
            [
                (Outcome.ACCEPTED, ReceiptReason.ACCEPTED, 250),
                (Outcome.TEMPORARY_FAILURE, ReceiptReason.PROVIDER_BUSY, 451),
                (Outcome.PERMANENT_FAILURE, ReceiptReason.PROVIDER_REFUSED, 554),
            ],
            weights=[93, 5, 2],
        )[0]
        acted = outcome is Outcome.ACCEPTED
        self.run.receive_command(command, address, acted=acted, answered_code=code)
        self._report(command, outcome, reason)

    def _report(self, command: SendTouch, outcome: Outcome, reason: ReceiptReason) -> None:
        receipt = ReceiptGiven(
            event_id=EventId(f"{command.touch_key}/{command.attempt}"),
            customer_id=command.customer_id,
            contract_id=command.contract_id,
            term_id=command.term_id,
            step=command.step,
            channel=command.channel,
            revision=command.revision,
            attempt=command.attempt,
            touch_key=command.touch_key,
            outcome=outcome,
            reason=reason,
            reported_at_ms=self.run.now_ms,
            heartbeat_at_ms=self.run.now_ms,
        )
        self.run.log(topics.RECEIPT, command.customer_id, receipt)
        self._apply(command.customer_id, receipt)

    # ---- what happens to a customer ----------------------------------------------------------------------------------
    def _person(self, customer_id: str) -> None:
        chance, run = self._random, self.run
        first_ms = self._starts_ms if chance.random() < 0.8 else self._instant()
        email = None if chance.random() < 0.05 else f"{customer_id}@example.com"
        known: dict[str, Field] = {
            "name": chance.choice(NAMES),
            "email": email,
            "zone": chance.choice(ZONES),
            "reachable": (Channel.EMAIL,) if email else (),
        }
        run.names[customer_id] = known["name"]
        self._at(first_ms, lambda: run.customer(customer_id, **known))
        if chance.random() < 0.1:  # the CRM believes in an address that is not there, until somebody completes it
            known["email"] = None
            completed = known | {"email": f"{customer_id}@example.com", "reachable": (Channel.EMAIL,), "version": 3}
            self._maybe(0.8, lambda: run.customer(customer_id, **completed))
        moved = known | {"zone": chance.choice(ZONES), "version": 2}
        self._maybe(0.05, lambda: run.customer(customer_id, **moved))
        for number in range(chance.choice((1, 1, 1, 1, 2, 3))):
            self._contract(customer_id, f"k-{customer_id}-{number}", first_ms)
        for kind in (RequestKind.OPTED_OUT, RequestKind.OPTED_IN, RequestKind.CONSENT_WITHDRAWN, RequestKind.ERASURE):
            self._maybe(0.04, partial(run.ask, kind, customer_id))

    def _contract(self, customer_id: str, contract_id: str, first_ms: int) -> None:
        chance, run = self._random, self.run
        expires_on = STARTS_ON + timedelta(days=chance.randint(-10, 150))
        terms: dict[str, Field] = {
            "expires_on": expires_on,
            "starts_on": expires_on - timedelta(days=365),
            "amount_minor": chance.randint(1, 10_000_000),
            "currency": chance.choice(("CNY", "USD", "EUR")),
        }
        corrected = terms | {"expires_on": expires_on + timedelta(days=chance.randint(-20, 40)), "version": 2}
        repriced = terms | {"amount_minor": terms["amount_minor"] + 100, "version": 3}
        ended = terms | {"status": chance.choice(ENDED), "version": 4}
        self._at(
            first_ms if chance.random() < 0.8 else self._instant(),
            lambda: run.contract(contract_id, customer_id, **terms),
        )
        for version, share in ((terms, 0.1), (corrected, 0.1), (repriced, 0.1), (ended, 0.07)):
            self._maybe(share, partial(run.contract, contract_id, customer_id, **version))
        paid = {"payment_id": f"p-{contract_id}", "amount_minor": terms["amount_minor"], "currency": terms["currency"]}
        self._maybe(0.4, lambda: run.pay(contract_id, customer_id, **paid))
        reversal = paid | {"version": 2, "kind": chance.choice(REVERSALS)}
        self._maybe(0.1, lambda: run.pay(contract_id, customer_id, **reversal))

    def _maybe(self, share: float, act: Callable[[], object]) -> None:
        if self._random.random() < share:
            self._at(self._instant(), act)

    def _at(self, at_ms: int, act: Callable[[], object]) -> None:
        self._scheduled.append((at_ms, act))

    def _instant(self) -> int:
        return self._random.randint(self._starts_ms, self._ends_ms)
