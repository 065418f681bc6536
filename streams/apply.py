"""Applying slices to a draft: one step a record, and a refusal where a record cannot be applied (I7, I8)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from schemas.errors import ExitError, InvalidRecord, Refused, SchemaUnavailable, StepFailed
from schemas.events import RequestMade
from schemas.topics import POLICY, RECEIPT, REQUEST, TASK, TICK
from schemas.transport.partitioner import partition_of
from schemas.vocabulary import RequestKind
from streams.brain import Brain, Decode, Emission, Given, State
from streams.copartition import advanced
from streams.draft import Draft
from streams.intake import Fetched
from streams.quarantine import LONGEST_KEY_BYTES, Quarantine, check_limit
from streams.ticks import StampedTick, stamped, virtual

COMMANDS = "renewal.command."
FROM_THE_FIRST = b""  # a re-judging cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What topics take; checked before producing, so that a record too large refuses a step and not the worker."""

    largest_bytes: Mapping[str, int]
    largest_state_bytes: int

    def check(self, emissions: Sequence[Emission]) -> None:
        """Refuse a step whose output does not fit its topic."""
        for topic, key, value, _ in emissions:
            if value is not None and len(value) + len(key) > self.largest_bytes[topic]:
                raise StepFailed(f"an output of {len(value)} bytes under a key of {len(key)} does not fit into {topic}")

    def check_state(self, raw: bytes) -> None:
        """Refuse a step whose state does not fit into the changelog."""
        if len(raw) > self.largest_state_bytes:
            raise StepFailed(f"a state of {len(raw)} bytes does not fit into the changelog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """Applies inputs to drafts under the engine's rules; the brain decides what they mean."""

    brain: Brain
    partitions: int
    quarantine: Quarantine
    sizes: Sizes
    is_time_virtual: bool

    def request(self, draft: Draft, record: Fetched, careful: Collection[bytes]) -> None:
        """Apply a customer's request, dated no later than the broker took it; virtual time leaves it as it says."""

        def decode(key: bytes | None, value: bytes | None) -> Given:
            given = self.brain.decoders[REQUEST](key, value)
            return given if self.is_time_virtual else self.brain.dated(given, record.timestamp)

        self.records(draft, REQUEST, (record,), careful, decode)

    def records(
        self,
        draft: Draft,
        topic: str,
        records: Sequence[Fetched],
        careful: Collection[bytes] = (),
        decode: Decode | None = None,
    ) -> None:
        """Apply records of one customer input in order; states of `careful` customers are measured at every step."""
        brain, states, part, quarantine = self.brain, draft.states, draft.part.number, self.quarantine
        decode, step, state_of, check = decode or brain.decoders[topic], brain.step, draft.state_of, self.sizes.check
        policies, now_ms, is_kept = draft.policies, draft.meta.watermark_at_ms, topic != RECEIPT
        emit, held, last = draft.emissions.extend, draft.held, -1
        for index, record in enumerate(records):
            key = record.key
            if held and is_kept and key in held and key is not None:
                quarantine.keep(draft, topic, record, key)
                held = draft.held
                continue
            try:
                given = decode(key, record.value)
                if key is None or len(key) > LONGEST_KEY_BYTES:
                    _refuse_key(key)
                state = states[key] if key in states else state_of(key)
                if state is None and partition_of(key, self.partitions) != part:
                    quarantine.forward(draft, topic, record, key)
                    continue
                state, emissions = step(state, given, policies, now_ms)
                if emissions:
                    check(emissions)
                    _check_law_1(emissions)
                if key in careful:
                    self.sizes.check_state(brain.encode_state(state))
            except (ExitError, SchemaUnavailable):
                raise
            except Exception as error:  # noqa: BLE001  the refusal guard: whatever is wrong with a record is its own
                draft.window = draft.window.applied(index - last - 1).refused()
                last = index
                quarantine.refuse(draft, topic, record, error)
                check_limit(draft)
                held = draft.held
                continue
            states[key] = state
            if emissions:
                emit(emissions)
        draft.window = draft.window.applied(len(records) - last - 1)

    def policies(self, draft: Draft, records: Sequence[Fetched]) -> None:
        """Put published policies in force; an invalid one is a dead letter that holds nobody."""
        for record in records:
            try:
                policies = self.brain.published(draft.policies, record.value or b"")
            except (ExitError, SchemaUnavailable):
                raise
            except Exception as error:  # noqa: BLE001  the refusal guard, for a policy
                self._bury(draft, POLICY, record, error)
                continue
            if self.brain.policy_number(policies) != draft.meta.policy_number:
                self._put_in_force(draft, policies)
            draft.window = draft.window.applied(1)

    def ticks(self, draft: Draft, records: Sequence[Fetched]) -> list[StampedTick]:
        """Read ticks; when to apply them is for their barriers to say."""
        ticks = []
        for record in records:
            try:
                tick = self.brain.decode_tick(record.value or b"")
            except SchemaUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  the refusal guard, for a tick
                self._bury(draft, TICK, record, error)
                continue
            read = virtual(tick, record.offset) if self.is_time_virtual else None
            ticks.append(read or stamped(tick, record.timestamp, record.offset))
        return ticks

    def stop_or_start(self, draft: Draft, request: RequestMade) -> None:
        """Apply an operator's stop or start to the whole partition; a start looks at everybody anew."""
        changed = self.brain.stopped(draft.policies, request, draft.meta.watermark_at_ms)
        draft.emissions.extend(changed.emissions)
        draft.policies = changed.policies
        draft.meta = advanced(draft.meta, policies=self.brain.encode_policies(changed.policies))
        if request.kind is RequestKind.START:
            draft.meta = advanced(draft.meta, rejudge_cursor=FROM_THE_FIRST)

    def _put_in_force(self, draft: Draft, policies: State) -> None:
        draft.policies = policies
        draft.meta = advanced(
            draft.meta,
            policies=self.brain.encode_policies(policies),
            policy_number=self.brain.policy_number(policies),
            rejudge_cursor=FROM_THE_FIRST,
        )

    def _bury(self, draft: Draft, topic: str, record: Fetched, error: Exception) -> None:
        refusal = error if isinstance(error, Refused) else StepFailed(f"reading it raised {type(error).__name__}")
        draft.window = draft.window.refused()
        self.quarantine.bury(draft, topic, record, refusal, None)
        check_limit(draft)


def _check_law_1(emissions: Sequence[Emission]) -> None:
    """Refuse a step that releases without a wake: it would have passed no barrier."""
    for emission in emissions:
        if emission.topic == TASK or emission.topic.startswith(COMMANDS):
            raise StepFailed("an input that is no wake released a touch (law 1)")


def _refuse_key(key: bytes | None) -> NoReturn:
    if key is not None:
        raise InvalidRecord(f"a key of {len(key)} bytes names no customer; at most {LONGEST_KEY_BYTES} are taken")
    raise InvalidRecord("the record has no key; the upstream must key by customer_id")
