"""The values that pass through the delivery loop: an order, what became of it, and the writes of one cycle."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from schemas.events import ReceiptGiven
from schemas.identity import FenceKey, fences_over
from schemas.outputs import LedgerRow, SendTouch
from schemas.vocabulary import Outcome, ReceiptReason

_FINAL_REFUSALS = frozenset(
    {ReceiptReason.FENCED, ReceiptReason.STOPPED, ReceiptReason.PAST_SEND_BY, ReceiptReason.NO_CONTACT}
)


class DeliveryClass(StrEnum):
    """What a channel does about an intent without a result; published in its documents."""

    KEYED = "keyed"
    QUERYABLE = "queryable"
    AT_MOST_ONCE = "at_most_once"
    AT_LEAST_ONCE = "at_least_once"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """A command as it stands in its partition; orders are compared by identity."""

    command: SendTouch
    partition: int
    offset: int
    appended_at_ms: int
    fence_keys: tuple[FenceKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a channel has to say about one attempt."""

    outcome: Outcome
    reason: ReceiptReason = ReceiptReason.UNSPECIFIED
    detail: str = ""
    provider: str = ""
    provider_message_id: str = ""
    retry_after_ms: int = 0
    called_at_ms: int = 0
    heartbeat_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An order that needs no further call, and the report on it; None where an earlier receipt already told.

    `is_repeat`: an earlier call of the same attempt was broken off, and nobody knows whether the provider accepted it.
    """

    order: Order
    report: Report | None
    intent_at_ms: int = 0
    is_repeat: bool = False


@dataclass(slots=True, kw_only=True)
class Cycle:
    """What one transaction writes, by partition: results, receipts, the next intents, forgotten touches, positions."""

    results: list[tuple[int, LedgerRow]] = field(default_factory=list)
    receipts: list[tuple[int, ReceiptGiven]] = field(default_factory=list)
    intents: list[tuple[int, LedgerRow]] = field(default_factory=list)
    forgotten: list[tuple[int, str]] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.results or self.receipts or self.intents or self.forgotten or self.positions)


def order_of(command: SendTouch, *, partition: int, offset: int, appended_at_ms: int) -> Order:
    """Place a command, with the names of every fence that forbids it worked out once."""
    return Order(
        command=command,
        partition=partition,
        offset=offset,
        appended_at_ms=appended_at_ms,
        fence_keys=fences_over(
            command.customer_id,
            command.contract_id,
            command.term_id,
            command.touch_key,
            command.channel.value,
        ),
    )


def refused(reason: ReceiptReason, detail: str = "") -> Report:
    """Report a touch that was certainly not sent, by our own decision."""
    return Report(outcome=Outcome.REFUSED, reason=reason, detail=detail)


def unbuildable(cause: str) -> Report:
    """Report a touch of which no message could be built, for a cause that we did not foresee."""
    return Report(outcome=Outcome.PERMANENT_FAILURE, reason=ReceiptReason.RENDERING_REFUSED, detail=cause)


def in_doubt(detail: str) -> Report:
    """Report a touch of which nobody can say whether the provider accepted it."""
    return Report(outcome=Outcome.UNKNOWN, reason=ReceiptReason.IN_DOUBT, detail=detail)


def told(finished: Finished, report: Report) -> Report:
    """What is said about an attempt: a refusal that would end it is no refusal if an earlier call may have got through.

    A temporary one stands: the channel is at-least-once then, and the next attempt follows from it.
    """
    ends_it = report.outcome is Outcome.PERMANENT_FAILURE or report.reason in _FINAL_REFUSALS
    if finished.is_repeat and report.outcome.is_definite_refusal and ends_it:
        return replace(report, outcome=Outcome.UNKNOWN, reason=ReceiptReason.IN_DOUBT, detail=report.reason.value)
    return report
