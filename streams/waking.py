"""Waking: a tick finds the customers whose alarm is due and judges them, a chunk a transaction (I5, I6)."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from schemas.errors import ExitError, SchemaUnavailable, StepFailed
from schemas.topics import TICK
from streams.apply import Sizes
from streams.brain import Brain
from streams.copartition import CoPartition, advanced
from streams.draft import Draft
from streams.quarantine import Quarantine
from streams.store import ALARM_PREFIX, alarm_parts
from streams.ticks import StampedTick


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What one scan of the alarm index found due."""

    rows: tuple[bytes, ...]
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waking:
    """Wakes customers under ticks."""

    brain: Brain
    quarantine: Quarantine
    sizes: Sizes
    chunk_customers: int

    def due(self, part: CoPartition, now_ms: int) -> Chunk:
        """Scan what is due at an instant, at most a chunk; the index is a hint, `wake` asks the state."""
        found = islice(part.rows.scan(part.alarm_floor, ALARM_PREFIX), self.chunk_customers + 1)
        due = [row for row, _ in found if alarm_parts(row)[0] <= now_ms]
        return Chunk(rows=tuple(due[: self.chunk_customers]), is_last=len(due) <= self.chunk_customers)

    def wake(self, draft: Draft, tick: StampedTick, chunk: Chunk, careful: Collection[bytes] = ()) -> None:
        """Judge a chunk, measuring `careful` customers; with the last one, watermark and tick position move."""
        for row in chunk.rows:
            due_at_ms, customer = alarm_parts(row)
            draft.index[row] = None
            state = draft.state_of(customer)
            if state is not None and self.brain.alarm_at_ms(state) == due_at_ms:
                self._wake_one(draft, tick, customer, careful)
        if chunk.is_last:
            draft.meta = advanced(draft.meta, watermark_at_ms=tick.now_ms, tick_offset=tick.offset)
            draft.positions[TICK] = tick.offset + 1

    def _wake_one(self, draft: Draft, tick: StampedTick, customer: bytes, careful: Collection[bytes]) -> None:
        brain = self.brain
        try:
            woken = brain.step(draft.state_of(customer), brain.wake, draft.policies, tick.now_ms)
            self._check_alarm(woken.state, tick)
            self.sizes.check(woken.emissions)
            if customer in careful:
                self.sizes.check_state(brain.encode_state(woken.state))
        except (ExitError, SchemaUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  the refusal guard: one customer's judging must not stop the others'
            self.quarantine.refuse_wake(draft, tick, customer, error)
            return
        draft.states[customer] = woken.state
        draft.emissions.extend(woken.emissions)

    def _check_alarm(self, state: object, tick: StampedTick) -> None:
        alarm = self.brain.alarm_at_ms(state)
        if alarm is not None and alarm <= tick.now_ms:
            raise StepFailed("a wake asked to be woken at an instant that is over; it would be woken for ever")
