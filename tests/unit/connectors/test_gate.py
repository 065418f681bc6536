"""The last look before the write: what was raised or grew old since the intent stops the call (C6, I11)."""

import pytest

from connectors.delivery.gate import CallGate
from connectors.fences import FenceTable, WallClock
from connectors.orders import order_of
from connectors.ports import Withheld
from schemas.identity import paid_fence
from schemas.outputs import FenceRaised
from schemas.vocabulary import FenceKind, ReceiptReason
from tests.builders import NOW_MS, a_command, a_heartbeat


def a_gate(fences: FenceTable, now_ms: int = NOW_MS) -> CallGate:
    fences.apply("heartbeat", a_heartbeat(fresh_at_ms=NOW_MS, watermark_at_ms=NOW_MS))
    order = order_of(a_command(), partition=0, offset=0, appended_at_ms=NOW_MS)
    return CallGate(order, fences=fences, clock=WallClock(lambda: now_ms), begun_at_ms=0, elapsed=lambda: 0)


def test_a_clear_way_is_clear() -> None:
    a_gate(FenceTable()).check()


def test_a_payment_after_the_intent_stops_the_call() -> None:
    fences, command = FenceTable(), a_command()
    gate = a_gate(fences)
    key = paid_fence(command.customer_id, command.contract_id, command.term_id)
    fences.apply(key, FenceRaised(fence_key=key, kind=FenceKind.PAID, raised_at_ms=NOW_MS))
    with pytest.raises(Withheld) as withheld:
        gate.check()
    assert withheld.value.reason is ReceiptReason.FENCED


@pytest.mark.parametrize("now_ms", [NOW_MS + 3_001, NOW_MS - 1_001])
def test_a_heartbeat_that_went_stale_since_the_intent_stops_the_call(now_ms: int) -> None:
    with pytest.raises(Withheld) as withheld:
        a_gate(FenceTable(), now_ms).check()
    assert withheld.value.reason is ReceiptReason.INTENT_TOO_OLD


def test_a_window_that_closed_since_the_intent_stops_the_call() -> None:
    fences = FenceTable()
    order = order_of(a_command(send_by_at_ms=NOW_MS - 1), partition=0, offset=0, appended_at_ms=NOW_MS)
    fences.apply("heartbeat", a_heartbeat(fresh_at_ms=NOW_MS, watermark_at_ms=NOW_MS))
    gate = CallGate(order, fences=fences, clock=WallClock(lambda: NOW_MS), begun_at_ms=0, elapsed=lambda: 0)
    with pytest.raises(Withheld) as withheld:
        gate.check()
    assert withheld.value.reason is ReceiptReason.PAST_SEND_BY
