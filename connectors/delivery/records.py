"""The records a channel writes: intents, results and receipts, each built in one place."""

from connectors.orders import Order, Report
from schemas.events import ReceiptGiven
from schemas.identity import EventId
from schemas.outputs import LedgerRow
from schemas.vocabulary import LedgerStage


def intent_row(order: Order, *, owner: str, now_ms: int) -> LedgerRow:
    """The record that a call is about to be made."""
    command = order.command
    return LedgerRow(
        touch_key=command.touch_key,
        customer_id=command.customer_id,
        attempt=command.attempt,
        stage=LedgerStage.INTENT,
        intent_at_ms=now_ms,
        send_by_at_ms=command.send_by_at_ms,
        owner=owner,
    )


def result_row(order: Order, report: Report, *, owner: str, intent_at_ms: int, now_ms: int) -> LedgerRow:
    """The record that nothing more is to be done about this attempt."""
    command = order.command
    return LedgerRow(
        touch_key=command.touch_key,
        customer_id=command.customer_id,
        attempt=command.attempt,
        stage=LedgerStage.RESULT,
        intent_at_ms=intent_at_ms,
        send_by_at_ms=command.send_by_at_ms,
        owner=owner,
        outcome=report.outcome,
        reason=report.reason,
        provider_message_id=report.provider_message_id,
        finished_at_ms=now_ms,
    )


def receipt(order: Order, report: Report, *, owner: str, now_ms: int) -> ReceiptGiven:
    """The report as the state reads it; its event id is the same however often it is told."""
    command = order.command
    return ReceiptGiven(
        event_id=EventId(f"receipt|{command.touch_key}|{command.attempt}|{report.outcome.value}"),
        customer_id=command.customer_id,
        contract_id=command.contract_id,
        term_id=command.term_id,
        step=command.step,
        channel=command.channel,
        revision=command.revision,
        attempt=command.attempt,
        touch_key=command.touch_key,
        outcome=report.outcome,
        reported_at_ms=now_ms,
        reason=report.reason,
        detail=report.detail,
        provider=report.provider,
        provider_message_id=report.provider_message_id,
        heartbeat_at_ms=report.heartbeat_at_ms,
        called_at_ms=report.called_at_ms,
        retry_after_ms=report.retry_after_ms,
        source=owner,
    )
