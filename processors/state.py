"""All we know of one customer, as one value, and its private bytes.

Everything except `Touch` is a function of the inputs' contents, not of their order. Bytes are msgpack behind a version
tag; fields are only ever added at the end, with a default, so that older bytes decode.
"""

import zlib
from collections.abc import Callable
from datetime import date
from enum import IntEnum

import msgspec

from schemas.errors import PerennialError
from schemas.identity import ContractId, CustomerId, PaymentId, StepName, TermId
from schemas.vocabulary import (
    BillingCycle,
    Channel,
    ContractStatus,
    CustomerTier,
    PaymentKind,
    ProductType,
    Reason,
    Verdict,
)

VERSION = 1
PACK_ABOVE_BYTES = 16_384  # only customers with dozens of contracts; the rest stays quick


class StateUnreadable(PerennialError):
    """Bytes of a state that this release cannot read; the engine ends under `state_unreadable`, never refuses."""


class Stage(IntEnum):
    """Where a touch stands: who has to act next."""

    WAITING = 0  # us: it will be judged, perhaps again
    OUT = 1  # a channel: released, no receipt yet
    WITHDRAWN = 2  # a channel: fenced while it was out, no receipt yet
    SENT = 3  # nobody: the provider accepted
    UNKNOWN = 4  # a channel, perhaps: no receipt in time, or in doubt
    CLOSED = 5  # nobody, unless an operator asks or the dates change


class Touch(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What happened so far to one step of a term; verdict and reason repeat its last decision.

    `customer_version` is that of the customer's record at the last release, -1 when there was none.
    """

    step: StepName
    stage: Stage = Stage.WAITING
    verdict: Verdict = Verdict.UNSPECIFIED
    reason: Reason = Reason.UNSPECIFIED
    channel: Channel = Channel.UNSPECIFIED
    revision: int = 0
    attempt: int = 0
    failures: int = 0
    released_at_ms: int = 0
    send_by_at_ms: int = 0
    next_look_at_ms: int = 0
    asked_at_ms: int = 0
    answered_at_ms: int = 0
    owes_task: int = 0
    customer_version: int = -1


class Payment(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """The highest version of one payment."""

    payment_id: PaymentId
    version: int
    occurred_at_ms: int
    kind: PaymentKind
    amount_minor: int
    currency: str


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One revision of a touch that must not be sent any more; its fence stands until `stands_until_ms`."""

    step: StepName
    channel: Channel
    revision: int
    stands_until_ms: int


class TermFacts(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The highest version of one term, as the CRM wrote it."""

    version: int
    occurred_at_ms: int
    starts_on: date
    expires_on: date
    status: ContractStatus
    product_name: str = ""
    product_edition: str = ""
    product_type: ProductType = ProductType.UNSPECIFIED
    billing_cycle: BillingCycle = BillingCycle.UNSPECIFIED
    amount_minor: int = 0
    currency: str = ""
    modules: int = 0
    seats: int = 0
    discount_basis_points: int = 0
    auto_renews: bool = False
    special_terms: str = ""
    renewal_link: str = ""
    superseded_by: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


class Term(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One term of one contract; without facts when only its payments are known so far.

    `placed_at_ms` is the tick under which windows for `placed_for` (last day and zone) were first looked at; a window
    that closed by then never was open to us. `is_retired` marks the stub of a term that is over.
    """

    contract_id: ContractId
    term_id: TermId
    facts: TermFacts | None = None
    payments: tuple[Payment, ...] = ()
    touches: tuple[Touch, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    placed_for: str = ""
    placed_at_ms: int = 0
    alarm_at_ms: int | None = None
    is_retired: bool = False

    def touch(self, step: str) -> Touch | None:
        """What happened to a step, None while nothing did."""
        for touch in self.touches:
            if touch.step == step:
                return touch
        return None

    def with_touch(self, touch: Touch) -> "Term":
        """The term with this touch in place of the earlier one of its step, ordered by name."""
        others = [other for other in self.touches if other.step != touch.step]
        touches = tuple(sorted([*others, touch], key=_step_of))
        return msgspec.structs.replace(self, touches=touches)


class CustomerFacts(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The highest version of what the CRM knows of a customer."""

    version: int
    occurred_at_ms: int
    customer_tier: CustomerTier = CustomerTier.UNSPECIFIED
    segment: str = ""
    zone: str = ""
    country: str = ""
    region: str = ""
    locale: str = ""
    account_manager_id: str = ""
    preferred_channel: Channel = Channel.UNSPECIFIED
    reachable: tuple[Channel, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


class Permission(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """The newest wish about one scope; `topic` is "contact" (opt-out, opt-in) or "consent"."""

    topic: str
    channel: Channel
    is_given: bool
    occurred_at_ms: int


class Erasure(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """All that is left of an erased customer: when, and digests of the terms whose touches were decided."""

    occurred_at_ms: int
    decided: tuple[str, ...] = ()


class CustomerState(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Everything known of one customer; terms are ordered by contract and term."""

    customer_id: CustomerId
    customer: CustomerFacts | None = None
    terms: tuple[Term, ...] = ()
    permissions: tuple[Permission, ...] = ()
    hold: str = ""
    erasure: Erasure | None = None
    alarm_at_ms: int | None = None

    @property
    def outstanding(self) -> int:
        """How many attempts are out without any receipt."""
        return sum(touch.stage in AT_A_CHANNEL for term in self.terms for touch in term.touches)


AT_A_CHANNEL = frozenset({Stage.OUT, Stage.WITHDRAWN})

_PLAIN = bytes([VERSION])
_PACKED = bytes([0x80 | VERSION])
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CustomerState)


def encode_state(state: CustomerState) -> bytes:
    """Write a state as `decode_state` of this and every later release reads it; large ones are packed."""
    body = _encoder.encode(state)
    return _PLAIN + body if len(body) <= PACK_ABOVE_BYTES else _PACKED + zlib.compress(body, 1)


def decode_state(data: bytes) -> CustomerState:
    """Read a state of any released version.

    Raises:
        StateUnreadable: damaged, or written by a newer release.
    """
    read = _READERS.get(data[0] & 0x7F) if data else None
    if read is None:
        raise StateUnreadable(f"a state of version {data[:1].hex() or 'none'}: this release reads up to {VERSION}")
    try:
        return read(zlib.decompress(data[1:]) if data[0] & 0x80 else data[1:])
    except (msgspec.DecodeError, zlib.error, UnicodeDecodeError) as error:
        raise StateUnreadable(f"a state of version {data[0] & 0x7F} is damaged: {error}") from error


_READERS: dict[int, Callable[[bytes], CustomerState]] = {1: _decoder.decode}  # a later release adds its upgrade here


def _step_of(touch: Touch) -> str:
    return touch.step
