"""What one transaction is about to change; nobody sees any of it before the commit."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.changelog import META_ROW, encode_meta, state_row_key
from schemas.errors import ExitCode, ExitError, PerennialError
from streams.brain import Brain, Emission, State
from streams.copartition import CoPartition, advanced
from streams.intake import Fetched
from streams.store import alarm_row

_ABSENT: tuple[None, None, int] = (None, None, 0)


class StateOversized(PerennialError):
    """A customer's state outgrew the changelog's record limit somewhere in this batch: run it again, step by step."""

    def __init__(self, customer: bytes) -> None:
        self.customer = customer
        super().__init__("a state is larger than the changelog takes")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A record that belongs to another partition, on its way there."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int


class Draft:
    """The overlay of one transaction over a co-partition.

    Customers' states stay decoded until `finish`; what a customer was before is kept as (bytes, alarm, outstanding).
    """

    def __init__(self, part: CoPartition, brain: Brain) -> None:
        self.part, self.brain = part, brain
        self.states: dict[bytes, State] = {}
        self.before: dict[bytes, tuple[bytes | None, int | None, int]] = {}
        self.emissions: list[Emission] = []
        self.forwarded: list[Forwarded] = []
        self.rows: dict[bytes, bytes | None] = {}  # kept inputs, for store and changelog
        self.index: dict[bytes, bytes | None] = {}  # alarms, for the store only
        self.positions: dict[str, int] = {}
        self.held = part.held
        self.window = part.window
        self.policies = part.policies
        self.meta = part.meta
        self.applied: list[tuple[str, Sequence[Fetched]]] = []
        self.earliest_alarm_at_ms: int | None = None

    @property
    def is_mere_move(self) -> bool:
        """Whether only markers were passed, so that no transaction is needed."""
        is_changed = self.emissions or self.forwarded or self.rows or self.index or self.applied
        return not is_changed and self.meta == self.part.meta

    @property
    def offsets(self) -> dict[str, int]:
        """Input positions to commit, those that markers moved meanwhile included."""
        return {**self.part.moved, **self.positions}

    def state_of(self, customer: bytes) -> State | None:
        """Give a customer's state as this draft has it."""
        if customer in self.states:
            return self.states[customer]
        raw = self.part.rows.get(state_row_key(customer))
        if raw is None:
            self.before[customer] = _ABSENT
            return None
        state = decoded_state(self.brain, raw)
        self.before[customer] = (raw, self.brain.alarm_at_ms(state), self.brain.outstanding(state))
        return state

    def hold(self, customer: bytes, next_sequence: int | None) -> None:
        """Mark a customer as quarantined, or (None) as no longer so."""
        if self.held is self.part.held:
            self.held = dict(self.held)
        if next_sequence is None:
            self.held.pop(customer, None)
        else:
            self.held[customer] = next_sequence

    def finish(self, largest_bytes: int, largest_held_bytes: int) -> None:
        """Encode what changed and derive alarms and counts; after this only a heartbeat may be added.

        A held customer's state may be larger, or one refused for its size could not be marked as held.

        Raises:
            StateOversized: a state does not fit into a changelog record.
        """
        brain, before, rows = self.brain, self.before, self.rows
        encode, alarm_of, outstanding_of = brain.encode_state, brain.alarm_at_ms, brain.outstanding
        customers = outstanding = 0
        for customer, state in self.states.items():
            raw = encode(state)
            was_raw, was_alarm, was_outstanding = before[customer]
            if raw == was_raw:
                continue
            if len(raw) > (largest_held_bytes if customer in self.held else largest_bytes):
                raise StateOversized(customer)
            rows[state_row_key(customer)] = raw
            customers += was_raw is None
            outstanding += outstanding_of(state) - was_outstanding
            alarm = alarm_of(state)
            if alarm != was_alarm:
                self._move_alarm(customer, was_alarm, alarm)
        self.meta = advanced(
            self.meta,
            customers=self.meta.customers + customers,
            outstanding=self.meta.outstanding + outstanding,
            refusal_bits=self.window.packed(),
            refusals_seen=self.window.seen,
            refused_in_a_row=self.window.in_a_row,
        )

    def changelog(self) -> Sequence[tuple[bytes, bytes | None]]:
        """Give the rows to produce; the meta row is the last, so that the end of a changelog always tells of it."""
        return [*self.rows.items(), (META_ROW, encode_meta(self.meta))]

    def _move_alarm(self, customer: bytes, was_at_ms: int | None, at_ms: int | None) -> None:
        if was_at_ms is not None:
            self.index[alarm_row(was_at_ms, customer)] = None
        if at_ms is not None:
            self.index[alarm_row(at_ms, customer)] = b""
            if self.earliest_alarm_at_ms is None or at_ms < self.earliest_alarm_at_ms:
                self.earliest_alarm_at_ms = at_ms


def decoded_state(brain: Brain, raw: bytes) -> State:
    """Read a state; one that cannot be read ends the process, for refusing it would forget a customer (I7)."""
    try:
        return brain.decode_state(raw)
    except Exception as error:
        raise ExitError(
            ExitCode.STATE_UNREADABLE,
            f"a saved state cannot be decoded ({type(error).__name__}): run the release that wrote it, or a newer one",
        ) from error
