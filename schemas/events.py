"""The inputs of the core: frozen facts, receipts, requests, policies and ticks, mirrored by `schemas/avro`.

Every instant is UTC epoch milliseconds, every amount is in minor units beside an ISO 4217 currency, every date is a
local day in the customer's zone. An empty string means "not given".
"""

from datetime import date

import msgspec

from schemas.identity import ContractId, CustomerId, EventId, PaymentId, StepName, TermId, TouchKey
from schemas.vocabulary import (
    BillingCycle,
    Channel,
    ContractStatus,
    CustomerTier,
    EngagementKind,
    Outcome,
    PaymentKind,
    ProductType,
    ReceiptReason,
    RequestKind,
)


class CustomerChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What the CRM knows of a customer, without any contact detail (law 7); the highest version wins."""

    event_id: EventId
    customer_id: CustomerId
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
    source: str = ""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)


class ContractChanged(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one term of a contract; `expires_on` is its last covered local day, expiry the end of it.

    `term_id` is the CRM's, else empty and the term is named by `starts_on` (law 2). The highest version wins per term.
    """

    event_id: EventId
    customer_id: CustomerId
    contract_id: ContractId
    version: int
    occurred_at_ms: int
    starts_on: date
    expires_on: date
    term_id: str = ""
    status: ContractStatus = ContractStatus.ACTIVE
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
    source: str = ""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def term(self) -> TermId:
        """The name of this term: the CRM's id, else its ISO start date; never its end (law 2)."""
        return TermId(self.term_id or self.starts_on.isoformat())


class PaymentRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one payment for the renewal of a term: `term_id` names the expiring term, never the next one."""

    event_id: EventId
    customer_id: CustomerId
    contract_id: ContractId
    payment_id: PaymentId
    version: int
    occurred_at_ms: int
    term_id: TermId
    kind: PaymentKind
    amount_minor: int = 0
    currency: str = ""
    invoice_id: str = ""
    failure_cause: str = ""
    source: str = ""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)


class EngagementSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Something a customer was seen doing; no barrier covers it, so it never stops a touch by itself."""

    event_id: EventId
    customer_id: CustomerId
    occurred_at_ms: int
    kind: EngagementKind
    contract_id: str = ""
    touch_key: str = ""
    channel: Channel = Channel.UNSPECIFIED
    value: int = 0
    source: str = ""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)


class ReceiptGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's report on one attempt at one touch; a definite refusal says the provider did not accept."""

    event_id: EventId
    customer_id: CustomerId
    contract_id: ContractId
    term_id: TermId
    step: StepName
    channel: Channel
    revision: int
    attempt: int
    touch_key: TouchKey
    outcome: Outcome
    reported_at_ms: int
    reason: ReceiptReason = ReceiptReason.UNSPECIFIED
    detail: str = ""
    provider: str = ""
    provider_message_id: str = ""
    heartbeat_at_ms: int = 0
    called_at_ms: int = 0
    retry_after_ms: int = 0
    source: str = ""


class RequestMade(msgspec.Struct, frozen=True, kw_only=True):
    """A wish of a customer or an operator, judged by the state; the newest `occurred_at_ms` of one scope wins.

    `stop`, `start` go to every partition explicitly under the key `p<number>` with an empty customer id.
    `replacement` (with `replacement_topic`) or `is_drop` mend the first refused record of a quarantine.
    """

    event_id: EventId
    customer_id: CustomerId
    occurred_at_ms: int
    kind: RequestKind
    channel: Channel = Channel.UNSPECIFIED
    contract_id: str = ""
    touch_key: str = ""
    operator: str = ""
    reason: str = ""
    source: str = ""
    text_version: str = ""
    replacement_topic: str = ""
    replacement: bytes = b""
    is_drop: bool = False
    attributes: dict[str, str] = msgspec.field(default_factory=dict)


class PolicyPublished(msgspec.Struct, frozen=True, kw_only=True):
    """One policy set for one partition; numbers only grow, a lower one is ignored (I8)."""

    event_id: EventId
    number: int
    published_at_ms: int
    content: str
    content_hash: str
    operator: str = ""
    approvals: tuple[str, ...] = ()
    attributes: dict[str, str] = msgspec.field(default_factory=dict)


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """It is now `now_ms`, stamped before `barrier` (topic -> high watermark of this partition) was read (I6)."""

    now_ms: int
    barrier: dict[str, int]
    clock_id: str = ""
    sequence: int = 0


CustomerInput = CustomerChanged | ContractChanged | PaymentRecorded | EngagementSeen | ReceiptGiven | RequestMade
