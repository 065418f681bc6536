"""What the system says: commands, decisions, tasks, fences, heartbeats, ledger rows, dead letters and contacts.

Units as in `schemas.events`; mirrored by `schemas/avro`.
"""

from datetime import date

import msgspec

from schemas.identity import ContractId, CustomerId, EventId, StepName, TermId, TouchKey
from schemas.vocabulary import (
    Channel,
    DeadLetterKind,
    FenceKind,
    LedgerStage,
    Outcome,
    Reason,
    ReceiptReason,
    TaskKind,
    Verdict,
)


class SendTouch(msgspec.Struct, frozen=True, kw_only=True):
    """Order to a channel: one attempt at one touch, with every fact and amount as bound at release (law 3).

    `opens_at_ms <= not_before_at_ms <= decided_at_ms < send_by_at_ms <= closes_at_ms`; `decided_at_ms` is the deciding
    watermark. A channel needs no calendar.
    """

    touch_key: TouchKey
    customer_id: CustomerId
    contract_id: ContractId
    term_id: TermId
    step: StepName
    channel: Channel
    revision: int
    attempt: int
    not_before_at_ms: int
    send_by_at_ms: int
    decided_at_ms: int
    opens_at_ms: int
    closes_at_ms: int
    policy_number: int
    template: str
    locale: str
    zone: str
    contract_version: int
    starts_on: date
    expires_on: date
    product_name: str = ""
    product_edition: str = ""
    amount_minor: int = 0
    currency: str = ""
    modules: int = 0
    seats: int = 0
    discount_basis_points: int = 0
    special_terms: str = ""
    renewal_link: str = ""
    facts: dict[str, str] = msgspec.field(default_factory=dict)


class DecisionMade(msgspec.Struct, frozen=True, kw_only=True):
    """What was concluded about one touch at one moment, and why, or why not (P36)."""

    touch_key: TouchKey
    customer_id: CustomerId
    contract_id: ContractId
    term_id: TermId
    step: StepName
    channel: Channel
    revision: int
    verdict: Verdict
    reason: Reason
    decided_at_ms: int
    policy_number: int
    attempt: int = 0
    opens_at_ms: int = 0
    closes_at_ms: int = 0
    next_look_at_ms: int = 0
    zone: str = ""
    detail: str = ""
    inputs: dict[str, str] = msgspec.field(default_factory=dict)


class TaskOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Work for a person; `task_id` is stable, so that opening it twice is one task."""

    task_id: str
    customer_id: CustomerId
    kind: TaskKind
    opened_at_ms: int
    contract_id: str = ""
    term_id: str = ""
    step: str = ""
    touch_key: str = ""
    reason: Reason = Reason.UNSPECIFIED
    policy_number: int = 0
    assignee: str = ""
    detail: str = ""


class FenceRaised(msgspec.Struct, frozen=True, kw_only=True):
    """Something must not be sent; the record's key names the scope, a tombstone lifts it."""

    fence_key: str
    kind: FenceKind
    raised_at_ms: int
    customer_id: str = ""
    contract_id: str = ""
    term_id: str = ""
    touch_key: str = ""
    channel: Channel = Channel.UNSPECIFIED
    cause: str = ""


class HeartbeatSent(msgspec.Struct, frozen=True, kw_only=True):
    """A partition's sign of life (I11): who has read it has read every fence before it."""

    partition: int
    watermark_at_ms: int
    fresh_at_ms: int
    next_alarm_at_ms: int
    outstanding: int
    policy_number: int = 0
    tick_offset: int = -1
    is_virtual: bool = False


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far one touch has come at a channel: an intent before the call, a result after it (compacted by touch)."""

    touch_key: TouchKey
    customer_id: CustomerId
    attempt: int
    stage: LedgerStage
    intent_at_ms: int
    send_by_at_ms: int
    owner: str = ""
    outcome: Outcome = Outcome.UNKNOWN
    reason: ReceiptReason = ReceiptReason.UNSPECIFIED
    provider_message_id: str = ""
    finished_at_ms: int = 0


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record refused or a touch given up, with its cause, origin and original bytes (sealed where `seal_key_id`)."""

    dead_letter_id: str
    kind: DeadLetterKind
    cause: str
    dead_at_ms: int
    customer_id: str = ""
    touch_key: str = ""
    detail: str = ""
    origin_topic: str = ""
    origin_partition: int = -1
    origin_offset: int = -1
    origin_appended_at_ms: int = 0
    original_key: bytes = b""
    original_value: bytes = b""
    seal_key_id: str = ""
    policy_number: int = 0


class ContactChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's names and addresses, each field encrypted under the customer's data key (law 7).

    Associated data of a field is customer, field and version, so a value moved elsewhere does not decrypt.
    """

    event_id: EventId
    customer_id: CustomerId
    version: int
    occurred_at_ms: int
    key_id: str
    fields: dict[str, bytes]
    source: str = ""


class ContactKeyWrapped(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's data key, wrapped by the master key of a region; its tombstone is the erasure."""

    customer_id: CustomerId
    key_id: str
    region: str
    master_key_id: str
    wrapped_key: bytes
    created_at_ms: int
