"""What must not be sent is not sent: fences right before the call, fresh heartbeats, windows that close."""

import uuid
from collections.abc import Iterator

import pytest

from schemas.events import ReceiptGiven
from schemas.identity import paid_fence, stop_fence
from schemas.outputs import FenceRaised
from schemas.vocabulary import Channel, FenceKind, Outcome, ReceiptReason
from tests.delivering.stage import Stage, until, wall_ms

STALE_BY_MS = 3_600_000


@pytest.fixture(scope="module")
def served(bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One stage for tests that need no more than a running system; each has customers of its own."""
    folder, prefix = tmp_path_factory.mktemp("served"), f"served-{uuid.uuid4().hex[:8]}."
    stage = Stage(bootstrap=bootstrap, redis_url=redis_url, prefix=prefix, folder=folder)
    stage.contacts()
    owner = stage.channel(stage.simulator())
    with stage.heart():
        until(lambda: "partition_opened" in owner.said(), 30, "the partitions")
        yield stage
    stage.close()


def receipts_of(stage: Stage, *customers: str) -> list[ReceiptGiven]:
    """Every receipt about these customers."""
    return [receipt for receipt in stage.receipts() if receipt.customer_id in customers]


def a_paid_fence(customer: str) -> tuple[str, FenceRaised]:
    key = paid_fence(customer, f"k-{customer}", "2026")
    return key, FenceRaised(fence_key=key, kind=FenceKind.PAID, raised_at_ms=wall_ms(), customer_id=customer)


def test_a_fence_raised_between_intent_and_call_stops_the_call(stage: Stage) -> None:
    stage.know(["c1"])
    stage.contacts()
    port = stage.simulator()
    with stage.heart():
        owner = stage.channel(port, PERENNIAL_FAILPOINTS="delivery.after_intents=delay:1500")
        until(lambda: "partition_opened" in owner.said(), 30, "the partitions")
        stage.order(["c1"])
        until(lambda: len(stage.ledger()) == 1, 30, "the intent")
        stage.fence("c1", *a_paid_fence("c1"))
        until(lambda: len(stage.receipts()) == 1, 30, "the receipt")
    (receipt,) = stage.receipts()
    assert (receipt.outcome, receipt.reason) == (Outcome.REFUSED, ReceiptReason.FENCED)
    assert stage.inbox_rows() == []


def test_a_lifted_fence_lets_the_next_command_through(served: Stage) -> None:
    served.know(["lifted"])
    key, raised = a_paid_fence("lifted")
    served.fence("lifted", key, raised)
    served.fence("lifted", key, None)
    served.order(["lifted"], decided_at_ms=wall_ms())
    until(lambda: len(receipts_of(served, "lifted")) == 1, 30, "the receipt")
    assert receipts_of(served, "lifted")[0].outcome is Outcome.ACCEPTED


def test_a_stop_refuses_until_start(served: Stage) -> None:
    served.know(["stopped"])
    key = stop_fence(Channel.EMAIL.value)
    served.fence("stopped", key, FenceRaised(fence_key=key, kind=FenceKind.STOP, raised_at_ms=wall_ms()))
    served.order(["stopped"], decided_at_ms=wall_ms())
    until(lambda: len(receipts_of(served, "stopped")) == 1, 30, "the refusal")
    assert receipts_of(served, "stopped")[0].reason is ReceiptReason.STOPPED
    served.fence("stopped", key, None)
    served.order(["stopped"], attempt=2, decided_at_ms=wall_ms())
    until(lambda: len(receipts_of(served, "stopped")) == 2, 30, "the second attempt")
    assert receipts_of(served, "stopped")[1].outcome is Outcome.ACCEPTED


def test_a_stale_heartbeat_pauses_until_it_is_fresh_again(stage: Stage) -> None:
    stage.know(["c1", "c2"])
    stage.contacts()
    port = stage.simulator()
    stage.heart_offset_ms = -STALE_BY_MS
    with stage.heart():
        owner = stage.channel(port)
        until(lambda: "partition_opened" in owner.said(), 30, "the partitions")
        send_by_at_ms = wall_ms() + 2_000
        stage.order(["c1"], send_by_at_ms=send_by_at_ms)
        until(lambda: wall_ms() > send_by_at_ms, 30, "time for a call that must not come")
        assert stage.inbox_rows() == []
        assert stage.receipts() == []
        stage.heart_offset_ms = 0
        until(lambda: len(stage.receipts()) == 1, 30, "the refusal of what is too late by now")
    assert stage.receipts()[0].reason is ReceiptReason.PAST_SEND_BY


def test_a_command_before_its_time_waits(served: Stage) -> None:
    served.know(["early"])
    opens_at_ms = wall_ms() + 3_000
    (command,) = served.order(["early"], not_before_at_ms=opens_at_ms)
    until(lambda: len(receipts_of(served, "early")) == 1, 30, "the receipt")
    (row,) = (row for row in served.received() if row["key"] == command.touch_key)
    assert int(str(row["received_ms"])) >= opens_at_ms


def test_an_erased_customer_and_a_bad_address_are_told_apart(stage: Stage) -> None:
    stage.know(["c1", "c2"])
    stage.know(["c3"], domain="exa mple.com")
    stage.forget("c2")
    stage.contacts()
    port = stage.simulator()
    with stage.heart():
        stage.channel(port)
        stage.order(["c1", "c2", "c3", "c4"])
        until(lambda: len(stage.receipts()) == 4, 30, "the receipts")
    assert {str(receipt.customer_id): receipt.reason for receipt in stage.receipts()} == {
        "c1": ReceiptReason.ACCEPTED,
        "c2": ReceiptReason.NO_CONTACT,
        "c3": ReceiptReason.CONTACT_INVALID,
        "c4": ReceiptReason.NO_CONTACT,
    }
