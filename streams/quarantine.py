"""Refusing a record, holding its customer and keeping what comes after it (I7, law 4)."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.changelog import KeptInput, encode_kept, quarantine_row_key
from schemas.errors import ExitCode, ExitError, Refused, SchemaUnavailable, StepFailed
from schemas.outputs import DeadLetter
from schemas.topics import DEAD_LETTER, HOLDING, TICK
from schemas.transport.partitioner import partition_of
from schemas.vocabulary import DeadLetterKind
from streams.brain import Brain, Emission, Misaddressed, Told
from streams.draft import Draft, Forwarded
from streams.intake import Fetched
from streams.ticks import StampedTick

Seal = Callable[[bytes], tuple[bytes, str]]
LONGEST_KEY_BYTES = 800
_MOST_DETAIL = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Turns refusals into dead letters and holds; `seal` gives bytes for the operators' eyes only, and a key id."""

    brain: Brain
    partitions: int
    seal: Seal
    largest_state_bytes: int

    def is_home(self, draft: Draft, customer: bytes) -> bool:
        """Tell whether this partition is the customer's; one with a state here plainly is."""
        return draft.state_of(customer) is not None or partition_of(customer, self.partitions) == draft.part.number

    def forward(self, draft: Draft, topic: str, record: Fetched, customer: bytes) -> None:
        """Send a record that another partitioner misplaced to where its customer lives."""
        home = partition_of(customer, self.partitions)
        draft.forwarded.append(Forwarded(topic, record.key, record.value, home))

    def refuse(self, draft: Draft, topic: str, record: Fetched, error: Exception) -> None:
        """Make a record a dead letter, and hold its customer where the input could have forbidden a touch."""
        customer = error.customer if isinstance(error, Misaddressed) else record.key
        if customer is not None and len(customer) > LONGEST_KEY_BYTES:
            customer = None  # it names nobody, and rows and fences of that name would fit nowhere
        if customer is not None and not self.is_home(draft, customer):
            self.forward(draft, topic, record, customer)
            return
        refusal = _as_refusal(error)
        self.bury(draft, topic, record, refusal, customer)
        if customer is not None and topic in HOLDING and customer not in draft.held:
            self._keep(draft, customer, 0, _kept(draft, topic, record))
            self.mark(draft, customer, refusal.cause)

    def refuse_wake(self, draft: Draft, tick: StampedTick, customer: bytes, error: Exception) -> None:
        """Hold a customer whose wake raised; the tick goes on without it.

        One that raises even while it is held is only told so again, which silences it until its release.
        """
        refusal = _as_refusal(error)
        if customer in draft.held:
            self.mark(draft, customer, refusal.cause)
            return
        origin = KeptInput(
            topic=TICK,
            partition=draft.part.number,
            offset=tick.offset,
            appended_at_ms=tick.now_ms,
            key=customer,
            value=None,
        )
        self._dead_letter(draft, origin, refusal, customer, dead_letter_id=f"{TICK}-{tick.offset}-{_text(customer)}")
        self._keep(draft, customer, 0, origin)  # nothing to re-apply: it only remembers the hold
        self.mark(draft, customer, refusal.cause)

    def keep(self, draft: Draft, topic: str, record: Fetched, customer: bytes) -> None:
        """Keep an input of a quarantined customer behind those kept before."""
        self._keep(draft, customer, draft.held[customer], _kept(draft, topic, record))

    def bury(self, draft: Draft, topic: str, record: Fetched, refusal: Refused, customer: bytes | None) -> None:
        """Make a record a dead letter and count it against the limit."""
        origin = _kept(draft, topic, record)
        letter_id = f"{topic}-{draft.part.number}-{record.offset}"
        self._dead_letter(draft, origin, refusal, customer, dead_letter_id=letter_id)

    def mark(self, draft: Draft, customer: bytes, cause: str) -> None:
        """Tell the state that it is held, or, where even that raises, hold it by the fence alone."""
        brain, now_ms = self.brain, draft.meta.watermark_at_ms
        try:
            state = draft.state_of(customer) or brain.blank(customer)
            held = brain.step(state, brain.quarantined(cause), draft.policies, now_ms)
            self._check_room(brain.encode_state(held.state))
        except (ExitError, SchemaUnavailable):
            raise
        except Exception:  # noqa: BLE001  a state that cannot even be marked must be held all the same
            draft.emissions.extend(brain.hold(customer, cause, now_ms))
            return
        draft.states[customer] = held.state
        draft.emissions.extend(held.emissions)

    def _check_room(self, raw: bytes) -> None:
        if len(raw) > self.largest_state_bytes:
            raise StepFailed("the state has no room for the mark of its hold")

    def _keep(self, draft: Draft, customer: bytes, sequence: int, row: KeptInput) -> None:
        draft.rows[quarantine_row_key(customer, sequence)] = encode_kept(row)
        draft.hold(customer, sequence + 1)

    def _dead_letter(
        self, draft: Draft, origin: KeptInput, refusal: Refused, customer: bytes | None, *, dead_letter_id: str
    ) -> None:
        value, seal_key_id = self.seal(origin.value or b"")
        letter = DeadLetter(
            dead_letter_id=dead_letter_id,
            kind=DeadLetterKind.RECORD,
            cause=refusal.cause,
            dead_at_ms=origin.appended_at_ms,
            customer_id=_text(customer or b""),
            detail=str(refusal)[:_MOST_DETAIL],
            origin_topic=origin.topic,
            origin_partition=origin.partition,
            origin_offset=origin.offset,
            origin_appended_at_ms=origin.appended_at_ms,
            original_key=origin.key or b"",
            original_value=value,
            seal_key_id=seal_key_id,
            policy_number=draft.meta.policy_number,
        )
        told = (Told("dead_letters", (origin.topic, refusal.cause)),)
        draft.emissions.append(Emission(DEAD_LETTER, customer or origin.key or b"", self.brain.encode(letter), told))


def check_limit(draft: Draft) -> None:
    """End the process rather than drain a topic into the dead letters; nothing of the draft is committed."""
    if draft.window.is_over_limit:
        raise ExitError(
            ExitCode.REFUSAL_LIMIT,
            f"partition {draft.part.number}: too many of the last records were refused; see the dead letters for the "
            "cause, mend it or roll back, then start again: no input is lost",
        )


def unsealed(value: bytes) -> tuple[bytes, str]:
    """Leave dead-letter bytes as they are, where no operators' key is set."""
    return value, ""


def _as_refusal(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    # no text of the error itself: it may quote the record
    return StepFailed(f"judging raised {type(error).__name__}; see the worker's log for this origin")


def _kept(draft: Draft, topic: str, record: Fetched) -> KeptInput:
    return KeptInput(
        topic=topic,
        partition=draft.part.number,
        offset=record.offset,
        appended_at_ms=record.timestamp,
        key=record.key,
        value=record.value,
    )


def _text(key: bytes) -> str:
    return key.decode("utf-8", errors="replace")
