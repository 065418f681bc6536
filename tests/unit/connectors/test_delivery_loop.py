"""The loop in memory: who is called, who is not, and what the next owner does about a touch in doubt."""

from collections.abc import Mapping

import pytest

from connectors.fences import VirtualClock, WallClock
from connectors.memory import MemoryContacts, MemoryLog, MemoryProvider
from connectors.orders import Cycle, DeliveryClass, Order, Report
from schemas.errors import ExitCode, ExitError
from schemas.identity import paid_fence, stop_fence
from schemas.outputs import SendTouch
from schemas.topics import DAY_MS
from schemas.vocabulary import FenceKind, LedgerStage, Outcome, ReceiptReason
from tests.builders import NOW_MS, a_fence, a_ledger_row
from tests.delivering.in_memory import Delivering, command_for

HOUR_MS = 3_600_000


def reasons(delivering: Delivering) -> list[ReceiptReason]:
    return [receipt.reason for receipt in delivering.topics.receipts]


def begun(delivering: Delivering, command: SendTouch, *, intent_at_ms: int = NOW_MS) -> None:
    """Somebody wrote the intent of this command and did not come back."""
    row = a_ledger_row(
        touch_key=command.touch_key,
        customer_id=command.customer_id,
        attempt=command.attempt,
        stage=LedgerStage.INTENT,
        intent_at_ms=intent_at_ms,
        send_by_at_ms=command.send_by_at_ms,
    )
    delivering.topics.ledgers[0].append((command.touch_key, row))


def test_every_command_is_called_once_and_reported_once() -> None:
    delivering = Delivering()
    delivering.order(*(command_for(f"c{number}") for number in range(20)))
    delivering.run(delivering.all_reported)
    assert sorted(delivering.provider.called) == sorted({c.touch_key for c in delivering.topics.commands[0]})
    assert reasons(delivering) == [ReceiptReason.ACCEPTED] * 20
    assert delivering.topics.positions == {0: 20}


def test_a_command_fed_twice_is_called_once() -> None:
    delivering = Delivering()
    delivering.order(command_for("c1"), command_for("c1"), command_for("c2"))
    delivering.run(lambda: delivering.topics.positions.get(0) == 3)
    assert len(delivering.provider.called) == 2
    assert len(delivering.topics.receipts) == 2


def test_a_restart_repeats_nothing() -> None:
    delivering = Delivering()
    delivering.order(command_for("c1"))
    delivering.run(delivering.all_reported)
    delivering.topics.positions.clear()
    delivering.run(lambda: delivering.topics.positions.get(0) == 1)
    assert len(delivering.provider.called) == 1


def test_one_customer_is_served_in_order() -> None:
    delivering = Delivering(in_flight=64)
    steps = [command_for("c1", step=f"s{number}") for number in range(10)]
    delivering.order(*steps)
    delivering.run(delivering.all_reported)
    assert delivering.provider.called == [command.touch_key for command in steps]


def test_intents_stand_before_the_call_and_never_more_than_w() -> None:
    delivering = Delivering(in_flight=3)
    seen: list[int] = []

    class Watching(MemoryProvider):
        """Counts intents without a result at every call."""

        async def call(self, message, gate):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  as the port
            rows = dict(delivering.topics.ledgers[0])
            assert rows[message.touch_key] is not None
            seen.append(sum(row is not None and row.stage is LedgerStage.INTENT for row in rows.values()))
            return await super().call(message, gate)

    delivering.provider = Watching()
    delivering.order(*(command_for(f"c{number}") for number in range(30)))
    delivering.run(delivering.all_reported)
    assert max(seen) == 3


@pytest.mark.parametrize(
    ("key", "kind", "reason"),
    [
        pytest.param(paid_fence("c1", "k-c1", "t-1"), FenceKind.PAID, ReceiptReason.FENCED, id="paid"),
        pytest.param(stop_fence("email"), FenceKind.STOP, ReceiptReason.STOPPED, id="stopped channel"),
        pytest.param(stop_fence(), FenceKind.STOP, ReceiptReason.STOPPED, id="stopped altogether"),
    ],
)
def test_a_fenced_touch_is_refused_and_not_called(key: str, kind: FenceKind, reason: ReceiptReason) -> None:
    delivering = Delivering()
    delivering.topics.fences[0].apply(key, a_fence(fence_key=key, kind=kind))
    delivering.order(command_for("c1", term_id="t-1"))
    delivering.run(delivering.all_reported)
    assert reasons(delivering) == [reason]
    assert delivering.provider.called == []


def test_past_its_send_by_a_touch_is_refused() -> None:
    delivering = Delivering()
    delivering.order(command_for("c1", send_by_at_ms=NOW_MS - 1))
    delivering.run(delivering.all_reported)
    assert reasons(delivering) == [ReceiptReason.PAST_SEND_BY]


def test_a_touch_waits_for_its_opening_while_others_go() -> None:
    delivering = Delivering()
    delivering.order(command_for("c1", not_before_at_ms=NOW_MS + HOUR_MS), command_for("c2"))
    delivering.run(lambda: len(delivering.topics.receipts) == 1)
    assert [receipt.customer_id for receipt in delivering.topics.receipts] == ["c2"]
    assert delivering.topics.positions.get(0, 0) == 0  # nothing passes an open order
    delivering.now_ms += HOUR_MS
    delivering.beat()
    delivering.run(delivering.all_reported)
    assert delivering.topics.positions == {0: 2}


@pytest.mark.parametrize("age_ms", [3_001, -1_001])
def test_on_the_word_of_a_stale_heartbeat_nothing_is_called(age_ms: int) -> None:
    delivering = Delivering()
    delivering.order(command_for("c1", decided_at_ms=NOW_MS - 2 * HOUR_MS))
    delivering.beat(NOW_MS - age_ms)
    turns = iter(range(40))
    delivering.run(lambda: next(turns, None) is None)
    assert delivering.provider.called == []
    assert delivering.topics.receipts == []
    delivering.beat()
    delivering.run(delivering.all_reported)
    assert len(delivering.provider.called) == 1


def test_fences_not_yet_read_up_to_the_decision_are_waited_for() -> None:
    delivering = Delivering()
    delivering.order(command_for("c1", decided_at_ms=NOW_MS + 500))
    turns = iter(range(20))
    delivering.run(lambda: next(turns, None) is None)
    assert delivering.topics.receipts == []
    delivering.beat(NOW_MS + 500)
    delivering.run(delivering.all_reported)
    assert reasons(delivering) == [ReceiptReason.ACCEPTED]


def test_an_intent_that_grew_old_is_reported_and_not_called() -> None:
    delivering = Delivering()

    class Asleep(MemoryProvider):
        """Three seconds and more pass between intent and call, as in a stopped process."""

        async def call(self, message, gate):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  as the port
            delivering.elapsed_ms += 3_001
            return await super().call(message, gate)

    delivering.provider = Asleep()
    delivering.order(command_for("c1"))
    delivering.run(delivering.all_reported)
    assert reasons(delivering) == [ReceiptReason.INTENT_TOO_OLD]
    assert delivering.provider.called == []


@pytest.mark.parametrize(
    ("delivery_class", "accepted_before", "called", "outcome"),
    [
        pytest.param(DeliveryClass.AT_LEAST_ONCE, 1, 1, Outcome.ACCEPTED, id="at least once: again"),
        pytest.param(DeliveryClass.AT_MOST_ONCE, 1, 0, Outcome.UNKNOWN, id="at most once: told as unknown"),
        pytest.param(DeliveryClass.KEYED, 1, 1, Outcome.ACCEPTED, id="keyed: again, the provider knows the key"),
        pytest.param(DeliveryClass.QUERYABLE, 1, 0, Outcome.ACCEPTED, id="queryable: asked, it had accepted"),
        pytest.param(DeliveryClass.QUERYABLE, 0, 1, Outcome.ACCEPTED, id="queryable: asked, it had not"),
    ],
)
def test_what_happens_to_a_touch_in_doubt_is_decided_by_its_class(
    delivery_class: DeliveryClass,
    accepted_before: int,
    called: int,
    outcome: Outcome,
) -> None:
    delivering = Delivering(provider=MemoryProvider(delivery_class))
    command = command_for("c1")
    begun(delivering, command)
    delivering.provider.accepted += [command.touch_key] * accepted_before
    delivering.order(command)
    delivering.run(delivering.all_reported)
    assert len(delivering.provider.called) == called
    assert [receipt.outcome for receipt in delivering.topics.receipts] == [outcome]
    copies = 2 if delivery_class is DeliveryClass.AT_LEAST_ONCE else 1
    assert delivering.provider.accepted.count(command.touch_key) == copies


@pytest.mark.parametrize("delivery_class", [DeliveryClass.AT_LEAST_ONCE, DeliveryClass.KEYED])
def test_a_touch_in_doubt_that_may_not_be_called_again_is_never_called_a_refusal(delivery_class: DeliveryClass) -> None:
    delivering = Delivering(provider=MemoryProvider(delivery_class))
    command = command_for("c1", send_by_at_ms=NOW_MS - 1)
    begun(delivering, command)
    delivering.order(command)
    delivering.run(delivering.all_reported)
    (receipt,) = delivering.topics.receipts
    assert (receipt.outcome, receipt.reason) == (Outcome.UNKNOWN, ReceiptReason.IN_DOUBT)


def test_after_a_quarter_of_an_hour_nobody_is_asked_any_more() -> None:
    delivering = Delivering(provider=MemoryProvider(DeliveryClass.QUERYABLE))
    command = command_for("c1")
    begun(delivering, command, intent_at_ms=NOW_MS - 15 * 60_000 - 1)
    delivering.order(command)
    delivering.run(delivering.all_reported)
    assert reasons(delivering) == [ReceiptReason.IN_DOUBT]
    assert delivering.provider.asked == []


def test_a_new_attempt_after_a_refusal_is_called() -> None:
    delivering = Delivering()
    delivering.provider.answers = [Report(outcome=Outcome.TEMPORARY_FAILURE, reason=ReceiptReason.PROVIDER_BUSY)]
    delivering.order(command_for("c1"), command_for("c1", attempt=2))
    delivering.run(delivering.all_reported)
    assert [receipt.outcome for receipt in delivering.topics.receipts] == [Outcome.TEMPORARY_FAILURE, Outcome.ACCEPTED]


def test_a_provider_that_raises_leaves_its_touch_unknown_and_the_others_alone() -> None:
    delivering = Delivering()

    class Surprising(MemoryProvider):
        """Breaks for one customer."""

        async def call(self, message, gate):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  as the port
            if message.customer_id == "c1":
                raise RuntimeError("a surprise")
            return await super().call(message, gate)

    delivering.provider = Surprising()
    delivering.order(command_for("c1"), command_for("c2"))
    delivering.run(delivering.all_reported)
    assert {str(one.customer_id): one.outcome for one in delivering.topics.receipts} == {
        "c1": Outcome.UNKNOWN,
        "c2": Outcome.ACCEPTED,
    }


def test_a_customer_without_contact_is_told_by_a_receipt() -> None:
    delivering = Delivering(contacts=MemoryContacts({"c2": {"email": "c2@example.com"}}))
    delivering.order(command_for("c1"), command_for("c2"))
    delivering.run(delivering.all_reported)
    assert {str(one.customer_id): one.reason for one in delivering.topics.receipts} == {
        "c1": ReceiptReason.NO_CONTACT,
        "c2": ReceiptReason.ACCEPTED,
    }


def test_while_contacts_are_away_nobody_is_taken_for_absent() -> None:
    contacts = MemoryContacts({"c1": {"email": "c1@example.com"}})
    contacts.is_away = True
    delivering = Delivering(contacts=contacts)
    delivering.order(command_for("c1"))
    turns = iter(range(20))
    delivering.run(lambda: next(turns, None) is None)
    assert delivering.topics.receipts == []
    contacts.is_away = False
    delivering.run(delivering.all_reported)
    assert reasons(delivering) == [ReceiptReason.ACCEPTED]


def test_on_a_virtual_clock_the_heartbeat_says_what_time_it_is() -> None:
    delivering = Delivering(is_virtual=True, now_ms=0)
    delivering.order(command_for("c1", not_before_at_ms=NOW_MS + 90 * DAY_MS, send_by_at_ms=NOW_MS + 91 * DAY_MS))
    delivering.beat(NOW_MS)
    turns = iter(range(20))
    delivering.run(lambda: next(turns, None) is None, clock=VirtualClock())
    assert delivering.topics.receipts == []
    delivering.beat(NOW_MS + 90 * DAY_MS)
    delivering.run(delivering.all_reported, clock=VirtualClock())
    (receipt,) = delivering.topics.receipts
    assert receipt.called_at_ms == receipt.heartbeat_at_ms == NOW_MS + 90 * DAY_MS


def test_a_week_after_its_send_by_a_touch_is_forgotten() -> None:
    delivering = Delivering()
    delivering.order(command_for("c1"))
    delivering.run(delivering.all_reported)
    (key,) = dict(delivering.topics.ledgers[0])
    delivering.now_ms += 8 * DAY_MS
    delivering.beat()
    delivering.run(lambda: dict(delivering.topics.ledgers[0])[key] is None)


def test_a_message_that_cannot_be_built_stops_nobody_else() -> None:
    delivering = Delivering()

    class Clumsy(MemoryProvider):
        """Cannot build one customer's message."""

        def prepare(self, command: SendTouch, contact: Mapping[str, str]) -> SendTouch:
            if command.customer_id == "c1":
                raise LookupError("nobody foresaw this")
            return super().prepare(command, contact)

    delivering.provider = Clumsy()
    delivering.order(command_for("c1"), command_for("c2"))
    delivering.run(delivering.all_reported)
    assert {str(one.customer_id): one.reason for one in delivering.topics.receipts} == {
        "c1": ReceiptReason.RENDERING_REFUSED,
        "c2": ReceiptReason.ACCEPTED,
    }


def test_every_transaction_says_where_its_partitions_stand_or_a_zombie_could_write() -> None:
    delivering = Delivering(in_flight=2)
    without: list[Cycle] = []

    class Checking(MemoryLog):
        """Keeps the cycles that write for a partition and do not name its position."""

        def commit(self, cycle: Cycle) -> None:
            written = {number for number, _ in (*cycle.results, *cycle.intents, *cycle.forgotten)}
            if not written <= cycle.positions.keys():
                without.append(cycle)
            super().commit(cycle)

    delivering.order(*(command_for(f"c{number}") for number in range(6)))
    delivering.run(delivering.all_reported, log=Checking(delivering.topics))
    assert without == []


def test_a_partition_that_was_paused_when_it_moved_is_fetched_again() -> None:
    delivering = Delivering()
    log = MemoryLog(delivering.topics)
    log.pause([0])  # as a client does that remembers it from an earlier ownership
    delivering.order(command_for("c1"))
    delivering.run(delivering.all_reported, log=log)
    assert reasons(delivering) == [ReceiptReason.ACCEPTED]


@pytest.mark.parametrize("is_virtual", [True, False])
def test_in_another_time_than_its_partition_a_channel_says_what_to_do_and_calls_nobody(is_virtual: object) -> None:
    delivering = Delivering(is_virtual=bool(is_virtual))
    delivering.order(command_for("c1"))
    clock = WallClock(lambda: NOW_MS) if is_virtual else VirtualClock()
    with pytest.raises(ExitError, match="PERENNIAL_VIRTUAL_TIME=") as ended:
        delivering.run(delivering.all_reported, clock=clock)
    assert ended.value.code is ExitCode.SETTINGS_INVALID
    assert delivering.provider.called == []


def test_who_lost_its_partitions_ends_and_calls_nobody_more() -> None:
    delivering = Delivering()

    class Losing(MemoryLog):
        """Hears with the second poll that the group has given everything to others; they are fetched once more."""

        polls = 0

        def poll(self, within_ms: int) -> list[Order]:
            self.polls += 1
            if self.polls == 2 and self._partitions is not None:
                self._partitions.lost([0])
                self._open(0, self._partitions)
                delivering.order(command_for("c1"))
            return super().poll(within_ms)

    with pytest.raises(ExitError) as ended:
        delivering.run(lambda: bool(delivering.topics.receipts), log=Losing(delivering.topics))
    assert ended.value.code is ExitCode.FENCED
    assert delivering.provider.called == []
    assert delivering.topics.receipts == []
