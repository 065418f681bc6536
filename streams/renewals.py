"""The real brain: `processors.step` between the codec's records and the engine's emissions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from processors.given import Quarantined, Rejudge, Released, Wake
from processors.outcome import Step
from processors.policies import Policies, decode_policies, encode_policies
from processors.state import CustomerState, decode_state, encode_state
from processors.step import step
from processors.zones import tzdata_version
from schemas import topics
from schemas.codec import Codec
from schemas.errors import InvalidRecord
from schemas.events import (
    ContractChanged,
    CustomerChanged,
    EngagementSeen,
    PaymentRecorded,
    PolicyPublished,
    ReceiptGiven,
    RequestMade,
    Tick,
)
from schemas.identity import ANY_CHANNEL, CustomerId, hold_fence, stop_fence
from schemas.outputs import DecisionMade, FenceRaised, SendTouch
from schemas.vocabulary import Channel, FenceKind, RequestKind, Verdict
from streams.brain import Applied, Changed, Emission, Misaddressed, Told

RECORDS: Mapping[str, type[msgspec.Struct]] = {
    topics.CUSTOMER: CustomerChanged,
    topics.CONTRACT: ContractChanged,
    topics.PAYMENT: PaymentRecorded,
    topics.ENGAGEMENT: EngagementSeen,
    topics.RECEIPT: ReceiptGiven,
    topics.REQUEST: RequestMade,
}
_MS = 1_000


class RenewalBrain:
    """Judges renewals; everything it knows of a customer is in that customer's state."""

    def __init__(self, codec: Codec, zone_data: str = "") -> None:
        self.wake, self.rejudge, self.released = Wake(), Rejudge(), Released()
        self.empty_policies = Policies()
        self.data_versions: Mapping[str, str] = {"tzdata": zone_data or tzdata_version()}
        self.decoders: Mapping[str, Callable[[bytes | None, bytes | None], Any]] = {
            topic: _keyed(codec.decoder(record)) for topic, record in RECORDS.items()
        }
        self.encode = codec.encode
        self._read_policy = codec.decoder(PolicyPublished)
        self._read_tick = codec.decoder(Tick)
        self._read_request = codec.decoder(RequestMade)
        self._command_topics = {channel: topics.command_topic(channel) for channel in Channel}

    def blank(self, customer: bytes) -> CustomerState:
        """Give the state of a customer of whom nothing is known yet."""
        return CustomerState(customer_id=CustomerId(customer.decode()))

    def step(self, state: CustomerState | None, given: Any, policies: Policies, now_ms: int) -> Applied:  # noqa: ANN401
        """Apply one input to one customer."""
        answer = step(state, given, policies, now_ms)
        return Applied(answer.state, self._emissions(answer) if _has_output(answer) else ())

    def quarantined(self, cause: str) -> Quarantined:
        """Give the input that marks a customer as held."""
        return Quarantined(cause=cause)

    def hold(self, customer: bytes, cause: str, now_ms: int) -> Sequence[Emission]:
        """Give the hold fence alone; a key that is no text names no customer, so nobody needs holding."""
        try:
            customer_id = customer.decode()
        except UnicodeDecodeError:
            return ()
        key = hold_fence(customer_id)
        fence = FenceRaised(
            fence_key=key, kind=FenceKind.HOLD, raised_at_ms=now_ms, customer_id=customer_id, cause=cause
        )
        return (self._fence(fence),)

    def alarm_at_ms(self, state: CustomerState) -> int | None:
        """Tell when this customer wants to be woken."""
        return state.alarm_at_ms

    def outstanding(self, state: CustomerState) -> int:
        """Count the attempts without any receipt."""
        return state.outstanding

    def encode_state(self, state: CustomerState) -> bytes:
        """Write a state."""
        return encode_state(state)

    def decode_state(self, value: bytes) -> CustomerState:
        """Read a state."""
        return decode_state(value)

    def encode_policies(self, policies: Policies) -> bytes:
        """Write policy and stops."""
        return encode_policies(policies)

    def decode_policies(self, value: bytes) -> Policies:
        """Read policy and stops."""
        return decode_policies(value)

    def policy_number(self, policies: Policies) -> int:
        """Number of the policy in force, 0 for none."""
        return policies.number

    def published(self, policies: Policies, value: bytes) -> Policies:
        """Put a published policy in force, if its number is higher."""
        return policies.published(self._read_policy(value))

    def stopped(self, policies: Policies, request: RequestMade, now_ms: int) -> Changed:
        """Stop or start one channel, or all."""
        channel = request.channel
        key = stop_fence(ANY_CHANNEL if channel is Channel.UNSPECIFIED else channel.value)
        if request.kind is RequestKind.START:
            return Changed(policies.started(channel), (Emission(topics.FENCE, key.encode(), None),))
        fence = FenceRaised(
            fence_key=key, kind=FenceKind.STOP, raised_at_ms=now_ms, channel=channel, cause=request.reason
        )
        return Changed(policies.stopped(channel), (self._fence(fence),))

    def decode_request(self, value: bytes | None) -> RequestMade | None:
        """Read a request."""
        return self._read_request(value)

    def dated(self, given: RequestMade, appended_at_ms: int) -> RequestMade:
        """Cap the instant of a wish: one dated ahead would outlive every opt-out until then (C7)."""
        if given.occurred_at_ms <= appended_at_ms:
            return given
        return msgspec.structs.replace(given, occurred_at_ms=appended_at_ms)

    def decode_tick(self, value: bytes) -> Tick:
        """Read a tick."""
        return self._read_tick(value)

    def _emissions(self, answer: Step) -> list[Emission]:
        """Fences before what they allow or forbid, then commands, then the ledgers of why."""
        encode, customer = self.encode, answer.state.customer_id.encode()
        emissions = [self._fence(fence) for fence in answer.fences]
        emissions += [Emission(topics.FENCE, key.encode(), None) for key in answer.lifted]
        emissions += [
            Emission(self._command_topics[command.channel], customer, encode(command), _of_command(command))
            for command in answer.commands
        ]
        emissions += [
            Emission(topics.DECISION, customer, encode(decision), _of_decision(decision))
            for decision in answer.decisions
        ]
        emissions += [Emission(topics.TASK, customer, encode(task)) for task in answer.tasks]
        emissions += [Emission(topics.DEAD_LETTER, customer, encode(letter)) for letter in answer.dead_letters]
        return emissions

    def _fence(self, fence: FenceRaised) -> Emission:
        return Emission(topics.FENCE, fence.fence_key.encode(), self.encode(fence))


def _keyed(read: Callable[[bytes | None], Any]) -> Callable[[bytes | None, bytes | None], Any]:
    """Read a record and see that its key is the customer inside; a stop or start is a partition's (I7)."""

    def decode(key: bytes | None, value: bytes | None) -> Any:  # noqa: ANN401  any of the six inputs
        given = read(value)
        customer: bytes = given.customer_id.encode()
        if customer != key:
            if not customer:
                raise InvalidRecord("the record names no customer")
            raise Misaddressed(customer=customer, key=key)
        return given

    return decode


def _has_output(answer: Step) -> bool:
    return bool(
        answer.fences or answer.decisions or answer.commands or answer.lifted or answer.tasks or answer.dead_letters
    )


def _of_command(command: SendTouch) -> tuple[Told, ...]:
    late_s = max(0, command.decided_at_ms - command.opens_at_ms) / _MS
    channel = (command.channel.value,)
    return (Told("touches_released", channel), Told("touch_release_lateness", channel, late_s))


def _of_decision(decision: DecisionMade) -> tuple[Told, ...]:
    judged = Told("touches_judged", (decision.verdict.value, decision.reason.value))
    if decision.verdict is not Verdict.EXPIRED:
        return (judged,)
    return (judged, Told("touches_expired", (decision.channel.value, decision.reason.value)))
