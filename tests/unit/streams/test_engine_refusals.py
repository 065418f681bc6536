"""Refusals, holds, kept inputs, releases and limits: I7 and law 4 on a log in memory."""

import pytest
from msgspec.structs import replace

from schemas.changelog import quarantine_row_key, state_row_key
from schemas.errors import ExitError
from schemas.events import RequestMade
from schemas.identity import CustomerId, EventId
from schemas.topics import (
    CONTRACT,
    CUSTOMER,
    ENGAGEMENT,
    PAYMENT,
    RECEIPT,
    REQUEST,
    TICK,
)
from schemas.transport.partitioner import partition_of
from schemas.vocabulary import RequestKind
from tests.unit.streams.looking import ANN, BOB, probe, said
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (b"garbage", "undecodable"),
        (b"", "undecodable"),
        (None, "undecodable"),
        (b"ann:invalid", "invalid"),
        (b"ann:raise", "step_failed"),
    ],
)
def test_i7_a_refused_record_is_a_dead_letter_and_holds_its_customer(value: bytes | None, cause: str) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        await world.fed(CUSTOMER, ANN, b"ann:first")
        world.publish(PAYMENT, ANN, value)
        await world.pump()
        (letter,) = world.dead_letters()
        assert (letter.cause, letter.origin_topic, letter.origin_offset) == (cause, PAYMENT, 0)
        assert (letter.original_key, letter.original_value) == (ANN, value or b"")
        assert letter.customer_id == "ann"
        assert world.fences()[b"hold|ann"] is not None
        assert probe(world, ANN).hold == cause
        assert world.position(PAYMENT) == 1

    play()


@pytest.mark.parametrize("topic", [RECEIPT, ENGAGEMENT])
def test_i7_nobody_can_put_a_customer_on_hold_by_forging_reports(topic: str) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        await world.fed(topic, ANN, b"garbage")
        assert len(world.dead_letters()) == 1
        assert world.fences() == {}

    play()


@in_a_world
async def test_i7_inputs_of_a_held_customer_are_kept_in_order_and_receipts_applied() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:raise")
    await world.fed(PAYMENT, ANN, b"ann:paid")
    await world.fed(RECEIPT, ANN, b"ann:receipt")
    await world.fed(CONTRACT, ANN, b"ann:contract")
    assert probe(world, ANN).seen == ("quarantined", "receipt")
    rows = world.changelog()
    assert [quarantine_row_key(ANN, number) in rows for number in range(4)] == [True, True, True, False]


def release(**changes: object) -> RequestMade:
    """An operator's release of ann."""
    plain = RequestMade(
        event_id=EventId("r"), customer_id=CustomerId("ann"), occurred_at_ms=1, kind=RequestKind.QUARANTINE_RELEASE
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("mend", "seen"),
    [
        ({"replacement_topic": CUSTOMER, "replacement": b"ann:mended"}, ("mended", "paid", "contract")),
        ({"is_drop": True}, ("paid", "contract")),
    ],
)
def test_i7_a_release_mends_the_first_and_applies_the_rest_in_order(
    mend: dict[str, object], seen: tuple[str, ...]
) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        for topic, order in ((CUSTOMER, b"raise"), (PAYMENT, b"paid"), (CONTRACT, b"contract")):
            await world.fed(topic, ANN, b"ann:" + order)
        await world.fed(REQUEST, ANN, release(**mend))
        assert probe(world, ANN).seen == ("quarantined", "released", *seen)
        assert world.fences()[b"hold|ann"] is None
        assert not [row for row in world.changelog() if row.startswith(b"q|")]
        await world.restart(without_store=True)
        assert world.engine.part(0).held == {}

    play()


@in_a_world
async def test_i7_a_release_whose_mend_is_refused_never_lifts_the_hold() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:raise")
    await world.fed(PAYMENT, ANN, b"ann:paid")
    await world.fed(REQUEST, ANN, release())
    assert world.fences()[b"hold|ann"] is not None
    assert all(record.value is not None for record in world.records("renewal.fence.v1"))
    assert world.engine.part(0).held == {ANN: 2}
    await world.fed(REQUEST, ANN, release(is_drop=True))
    assert probe(world, ANN).seen[-1] == "paid"


@in_a_world
async def test_i7_a_release_of_nobody_held_changes_nothing() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(REQUEST, ANN, release())
    assert world.dead_letters() == []
    assert state_row_key(ANN) not in world.changelog()


@in_a_world
async def test_i7_a_record_in_the_wrong_partition_is_sent_home_and_applied_once() -> None:
    world = World(ProbingBrain(), partitions=2)
    await world.start()
    home = partition_of(ANN, 2)
    world.publish(CUSTOMER, ANN, b"ann:stray", partition=1 - home)
    await world.pump()
    await world.pump()
    assert probe(world, ANN, home).seen == ("stray",)
    assert world.dead_letters(0) + world.dead_letters(1) == []
    assert state_row_key(ANN) not in world.changelog(1 - home)


@in_a_world
async def test_i7_a_key_unlike_the_customer_inside_holds_the_customer_inside() -> None:
    world = World(ProbingBrain(), partitions=2)
    await world.start()
    world.publish(CUSTOMER, BOB, b"ann:whose", partition=partition_of(BOB, 2))
    await world.pump()
    await world.pump()
    home = partition_of(ANN, 2)
    assert world.fences(home)[b"hold|ann"] is not None
    assert [letter.customer_id for letter in world.dead_letters(home)] == ["ann"]


@in_a_world
async def test_i7_a_wake_that_raises_holds_that_customer_alone_and_the_tick_goes_on() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:failwake")
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50")
    await world.fed(CUSTOMER, BOB, b"bob:alarm 60", now_ms=100)
    assert said(world) == [b"woken 100"]
    (letter,) = world.dead_letters()
    assert (letter.origin_topic, letter.customer_id, letter.cause) == (TICK, "ann", "step_failed")
    assert world.meta().watermark_at_ms == 100
    assert probe(world, ANN).alarm is None
    await world.restart(without_store=True)
    assert ANN in world.engine.part(0).held


@pytest.mark.parametrize("order", [b"big 2000000", b"bigstate 2000000"])
def test_i7_what_is_too_large_refuses_the_step_and_not_the_worker(order: bytes) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        world.publish(CUSTOMER, ANN, b"ann:first")
        world.publish(CUSTOMER, ANN, b"ann:" + order)
        world.publish(CUSTOMER, BOB, b"bob:say well")
        await world.pump()
        assert said(world) == [b"well"]
        assert [letter.cause for letter in world.dead_letters()] == ["step_failed"]
        assert probe(world, ANN).seen == ("first", "quarantined")

    play()


@in_a_world
async def test_i7_too_many_refusals_stop_the_worker_with_its_position_kept() -> None:
    world = World(ProbingBrain())
    await world.start()
    for number in range(1_000):
        world.publish(ENGAGEMENT, b"c%d" % number, b"garbage")
    with pytest.raises(ExitError, match="refusal_limit"):
        await world.pump()
    assert world.position(ENGAGEMENT) == 0
    assert world.dead_letters() == []


@in_a_world
async def test_i7_the_refusal_window_survives_a_restart() -> None:
    world = World(ProbingBrain())
    await world.start()
    for number in range(600):
        world.publish(ENGAGEMENT, b"c%d" % number, b"garbage")
    await world.pump()
    await world.restart(without_store=True)
    for number in range(400):
        world.publish(ENGAGEMENT, b"d%d" % number, b"garbage")
    with pytest.raises(ExitError, match="refusal_limit"):
        await world.pump()


@in_a_world
async def test_law4_an_unknown_schema_waits_while_the_registry_is_away() -> None:
    brain = ProbingBrain()
    brain.is_registry_away = True
    world = World(brain)
    await world.start()
    world.publish(CUSTOMER, ANN, b"ann:unavailable")
    world.tick(100)
    await world.pump()
    assert world.dead_letters() == []
    assert world.position(CUSTOMER) == 0
    assert world.heartbeats()[-1:] == [] or world.heartbeats()[-1].fresh_at_ms == 0
    brain.is_registry_away = False
    await world.pump()
    assert probe(world, ANN).seen == ("unavailable",)
    assert world.meta().watermark_at_ms == 100


@in_a_world
async def test_i7_a_state_that_cannot_be_read_is_a_named_exit() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first")
    world.stores.rows[0].write({state_row_key(ANN): b"\xff from the future"})
    with pytest.raises(ExitError, match="state_unreadable"):
        await world.fed(CUSTOMER, ANN, b"ann:second")
