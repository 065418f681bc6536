"""Determinism, policies, moves of partitions and heartbeats: I8, I9 and I11 on a log in memory."""

import pytest

from schemas.changelog import state_row_key
from schemas.errors import ExitError
from schemas.events import RequestMade
from schemas.identity import CustomerId, EventId
from schemas.topics import (
    CONTRACT,
    CUSTOMER,
    PAYMENT,
    POLICY,
    RECEIPT,
    REQUEST,
    STOPPING,
    TICK,
)
from schemas.transport.partitioner import partition_of
from schemas.vocabulary import Channel, RequestKind
from tests.unit.streams.looking import ANN, BOB, probe, said
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world


@in_a_world
async def test_i8_inputs_other_than_wakes_are_judged_at_the_watermark() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first", now_ms=100)
    world.clock.at_ms = 10**12
    await world.fed(CUSTOMER, ANN, b"ann:raise")
    fence = world.fences()[b"hold|ann"]
    assert fence is not None
    assert fence.raised_at_ms == 100


@in_a_world
async def test_i8_a_policy_number_only_grows_and_a_bad_one_holds_nobody() -> None:
    world = World(ProbingBrain(policy=0))
    await world.start()
    for number in (b"2", b"1", b"nonsense"):
        world.publish(POLICY, b"p0", number, partition=0)
    await world.pump()
    assert world.meta().policy_number == 2
    assert [letter.origin_topic for letter in world.dead_letters()] == [POLICY]
    assert world.fences() == {}


@in_a_world
async def test_i8_a_new_policy_rejudges_everybody_in_chunks_and_emits_nothing() -> None:
    brain = ProbingBrain()
    world = World(brain, tick_chunk=2)
    await world.start()
    for number in range(5):
        key = b"c%d" % number
        await world.fed(CUSTOMER, key, key + b":alarm 5000")
    brain.rejudged_alarm = 70
    world.publish(POLICY, b"p0", b"7", partition=0)
    await world.pump()
    assert {probe(world, b"c%d" % number).alarm for number in range(5)} == {70}
    assert world.meta().rejudge_cursor is None
    assert said(world) == []
    world.tick(100)
    await world.pump()
    assert len(said(world)) == 5


@in_a_world
async def test_i8_newer_zone_data_rejudges_and_older_is_refused() -> None:
    world = World(ProbingBrain(version="2026.2"))
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 5000")
    newer = ProbingBrain(version="2026.10")
    newer.rejudged_alarm = 60
    world.brain = newer
    await world.restart()
    await world.fed(CUSTOMER, BOB, b"bob:first")
    assert probe(world, ANN).alarm == 60
    assert world.meta().data_versions == {"tzdata": "2026.10", "time": "virtual"}
    world.brain = ProbingBrain(version="2026.3")
    with pytest.raises(ExitError, match="data_versions_differ"):
        await world.restart()


@in_a_world
async def test_i9_a_kept_partition_keeps_producer_and_store_across_a_move() -> None:
    world = World(ProbingBrain(), partitions=2)
    await world.start()
    kept = world.engine.part(0)
    world.publish(CUSTOMER, ANN, b"ann:first", partition=partition_of(ANN, 2))
    await world.pump()
    await world.own((0,))
    assert world.engine.part(0) is kept
    assert world.engine.partitions == {0}
    await world.own((0, 1))
    assert world.engine.part(0) is kept


@in_a_world
async def test_i9_a_partition_that_was_away_in_between_is_fenced_anew() -> None:
    world = World(ProbingBrain(), partitions=2)
    await world.start()
    before = world.engine.part(1)
    world.engine.reassigned((0,))  # an assignment whose taking was overtaken by the next one
    await world.own((0, 1))
    assert world.engine.part(1) is not before


@in_a_world
async def test_i9_nothing_is_taken_between_revocation_and_the_next_assignment() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.engine.quiesce()
    world.publish(CUSTOMER, ANN, b"ann:first")
    await world.pump()
    assert state_row_key(ANN) not in world.changelog()
    await world.own((0,))
    await world.pump()
    assert probe(world, ANN).seen == ("first",)


@in_a_world
async def test_i11_a_heartbeat_goes_with_every_applied_tick() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 500", now_ms=100)
    last = world.heartbeats()[-1]
    assert (last.watermark_at_ms, last.fresh_at_ms, last.next_alarm_at_ms, last.outstanding) == (100, 100, 500, 0)
    world.tick(200)
    await world.pump()
    assert world.heartbeats()[-1].watermark_at_ms == 200


@in_a_world
async def test_i11_a_heartbeat_goes_whenever_the_count_of_outstanding_changes() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:out 2")
    await world.fed(CUSTOMER, BOB, b"bob:out 1")
    await world.fed(RECEIPT, ANN, b"ann:out 0")
    assert [one.outstanding for one in world.heartbeats()][-3:] == [2, 3, 1]


@in_a_world
async def test_i11_freshness_goes_on_while_a_contract_import_holds_the_tick() -> None:
    world = World(ProbingBrain())
    await world.start()
    world.publish(CONTRACT, ANN, b"ann:first")
    world.tick(100)
    await world.pump(TICK)
    last = world.heartbeats()[-1]
    assert (last.watermark_at_ms, last.fresh_at_ms) == (0, 100)


@pytest.mark.parametrize("topic", STOPPING)
def test_i11_freshness_waits_for_every_stopping_topic(topic: str) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        key, value = (b"p0", b"3") if topic == POLICY else (ANN, b"ann:first")
        world.publish(topic, key, value, partition=0)
        world.tick(100)
        await world.pump(TICK)
        assert [one for one in world.heartbeats() if one.fresh_at_ms] == []
        await world.pump(topic)
        assert world.heartbeats()[-1].fresh_at_ms == 100

    play()


@in_a_world
async def test_i11_who_has_read_a_heartbeat_has_read_every_fence_before_it() -> None:
    world = World(ProbingBrain())
    await world.start()
    world.publish(PAYMENT, ANN, b"ann:raise")
    world.tick(100)
    await world.pump()
    keys = [record.key for record in world.records("renewal.fence.v1")]
    assert keys.index(b"hold|ann") < keys.index(b"heartbeat")


@in_a_world
async def test_a_stop_is_a_fence_of_the_partition_and_a_start_rejudges() -> None:
    brain = ProbingBrain()
    world = World(brain)
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 5000")
    stop = RequestMade(
        event_id=EventId("s"),
        customer_id=CustomerId(""),
        occurred_at_ms=1,
        kind=RequestKind.STOP,
        channel=Channel.EMAIL,
    )
    world.publish(REQUEST, b"p0", stop, partition=0)
    await world.pump()
    assert world.fences()[b"stop|email"] is not None
    brain.rejudged_alarm = 60
    start = RequestMade(
        event_id=EventId("t"),
        customer_id=CustomerId(""),
        occurred_at_ms=2,
        kind=RequestKind.START,
        channel=Channel.EMAIL,
    )
    world.publish(REQUEST, b"p0", start, partition=0)
    await world.pump()
    assert world.fences()[b"stop|email"] is None
    assert probe(world, ANN).alarm == 60
    assert world.dead_letters() == []
