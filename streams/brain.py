"""What the engine asks of whoever judges: decode, step, encode; the engine looks inside none of their values.

States, inputs and policies are the brain's own types, opaque here, hence `Any`. Every method is pure; errors are those
of `schemas.errors`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas.errors import InvalidRecord
from schemas.events import RequestMade, Tick

State = Any  # the brain's own; the engine only hands it back
Given = Any  # likewise
Policies = Any  # likewise
Decode = Callable[[bytes | None, bytes | None], Given]


class Told(NamedTuple):
    """One observation for a metric of the catalogue, told by the brain because the engine cannot see it."""

    metric: str
    labels: tuple[str, ...]
    amount: float = 1.0


class Emission(NamedTuple):
    """One record to produce in the partition's own number; a `value` of None is a tombstone."""

    topic: str
    key: bytes
    value: bytes | None
    told: tuple[Told, ...] = ()


class Applied(NamedTuple):
    """What one step gave: the next state and what leaves with it."""

    state: State
    emissions: Sequence[Emission] = ()


class Changed(NamedTuple):
    """What an operator's record made of the policies, and the fences it raised or lifted."""

    policies: Policies
    emissions: Sequence[Emission] = ()


class Misaddressed(InvalidRecord):
    """A customer input whose key is missing or unlike the customer inside."""

    def __init__(self, *, customer: bytes, key: bytes | None) -> None:
        self.customer = customer
        super().__init__(f"the key {key!r} is not the customer inside; the upstream must key by customer_id")


class Brain(Protocol):
    """The pure core behind the engine."""

    wake: Given
    rejudge: Given
    released: Given
    empty_policies: Policies

    @property
    def data_versions(self) -> Mapping[str, str]:
        """Versions of the zone and calendar data that judging rests on."""
        ...

    @property
    def decoders(self) -> Mapping[str, Decode]:
        """Per customer input (key, value) -> given; raises Refused, or SchemaUnavailable to make a partition wait."""
        ...

    def blank(self, customer: bytes) -> State:
        """Give the state of a customer of whom nothing is known; raises when the key names nobody."""
        ...

    def step(self, state: State | None, given: Given, policies: Policies, now_ms: int) -> Applied:
        """Apply one input to one customer; any exception refuses the input."""
        ...

    def quarantined(self, cause: str) -> Given:
        """Give the input that marks a customer as held and raises its hold fence."""
        ...

    def hold(self, customer: bytes, cause: str, now_ms: int) -> Sequence[Emission]:
        """Give the hold fence alone, for a customer whose state cannot even be marked."""
        ...

    def alarm_at_ms(self, state: State) -> int | None:
        """Tell when this customer wants to be woken."""
        ...

    def outstanding(self, state: State) -> int:
        """Count the attempts of this customer without any receipt (I11)."""
        ...

    def encode_state(self, state: State) -> bytes:
        """Write a state with its version tag."""
        ...

    def decode_state(self, value: bytes) -> State:
        """Read a state; any exception ends the process as `state_unreadable`."""
        ...

    def encode_policies(self, policies: Policies) -> bytes:
        """Write the policies in force, stops included."""
        ...

    def decode_policies(self, value: bytes) -> Policies:
        """Read what `encode_policies` wrote."""
        ...

    def policy_number(self, policies: Policies) -> int:
        """Number of the policy in force; 0 when there is none, and then no tick is applied."""
        ...

    def published(self, policies: Policies, value: bytes) -> Policies:
        """Put a published policy in force; a lower number changes nothing, an invalid one is refused."""
        ...

    def stopped(self, policies: Policies, request: RequestMade, now_ms: int) -> Changed:
        """Apply a stop or a start to this partition's policies and fences."""
        ...

    def decode_request(self, value: bytes | None) -> RequestMade | None:
        """Read a request, or give None where this brain's requests are plain inputs."""
        ...

    def dated(self, given: Given, appended_at_ms: int) -> Given:
        """Give a request that claims a later instant than the broker's as one of the broker's (C7)."""
        ...

    def decode_tick(self, value: bytes) -> Tick:
        """Read a tick."""
        ...

    def encode(self, record: msgspec.Struct) -> bytes:
        """Write any output record of ours, such as a heartbeat or a dead letter."""
        ...
