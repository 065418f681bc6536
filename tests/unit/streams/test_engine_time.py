"""Barriers, chunks and harmless ticks: I6 and I10 on a log in memory."""

from schemas.topics import (
    BARRIER,
    CUSTOMER,
    ENGAGEMENT,
    PAYMENT,
    POLICY,
    TICK,
)
from schemas.transport.records import TopicPartition
from tests.unit.streams.looking import ANN, BOB, probe, said
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world


@in_a_world
async def test_i6_a_tick_waits_until_positions_have_passed_its_barrier() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50")
    world.publish(PAYMENT, ANN, b"ann:alarm 5000")
    world.tick(100)
    await world.pump(TICK)
    assert said(world) == []
    assert world.meta().watermark_at_ms == 0
    await world.pump(PAYMENT)
    assert said(world) == []  # the payment moved the alarm, as it must before anything is released
    assert world.meta().watermark_at_ms == 100


@in_a_world
async def test_i6_markers_pass_a_barrier_without_a_record() -> None:
    world = World(ProbingBrain())
    await world.start()
    upstream = world.log.producer(99)
    upstream.open()
    upstream.begin()
    upstream.produce(PAYMENT, ANN, b"ann:never", 0)
    upstream.abort()
    world.tick(100)
    await world.pump()
    assert world.meta().watermark_at_ms == 100
    assert world.position(PAYMENT) == 2


@in_a_world
async def test_i6_an_open_transaction_upstream_holds_time() -> None:
    world = World(ProbingBrain())
    await world.start()
    upstream = world.log.producer(99)
    upstream.open()
    upstream.begin()
    upstream.produce(PAYMENT, ANN, b"ann:paid", 0)
    world.tick(100)
    await world.pump()
    assert world.meta().watermark_at_ms == 0
    upstream.commit()
    await world.pump()
    assert world.meta().watermark_at_ms == 100


@in_a_world
async def test_i6_the_newest_applicable_tick_is_applied_and_the_others_are_no_ops() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50")
    for now_ms in (60, 80, 70):
        world.tick(now_ms)
    world.tick(90, barrier=dict.fromkeys(BARRIER, 99))
    await world.pump()
    assert said(world) == [b"woken 80"]
    assert world.meta().watermark_at_ms == 80


@in_a_world
async def test_i6_engagement_is_no_part_of_the_barrier() -> None:
    world = World(ProbingBrain())
    await world.start()
    world.publish(ENGAGEMENT, ANN, b"ann:seen")
    world.tick(100)
    await world.pump(TICK)
    assert world.meta().watermark_at_ms == 100


@in_a_world
async def test_i6_a_partition_without_a_policy_applies_no_tick() -> None:
    world = World(ProbingBrain(policy=0))
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50", now_ms=100)
    assert world.meta().watermark_at_ms == 0
    world.publish(POLICY, b"p0", b"1", partition=0)
    await world.pump()
    assert world.meta().watermark_at_ms == 100
    assert said(world) == [b"woken 100"]


@in_a_world
async def test_waking_goes_in_chunks_with_waiting_batches_between() -> None:
    world = World(ProbingBrain(), tick_chunk=2)
    await world.start()
    for number in range(5):
        key = b"c%d" % number
        await world.fed(CUSTOMER, key, key + b":alarm 50")
    world.tick(100)
    world.engine.submit(world.intake.fetch(0))
    await world.until(lambda: said(world))
    assert len(said(world)) == 2
    assert world.meta().watermark_at_ms == 0
    world.publish(PAYMENT, b"c4", b"c4:alarm 9000")
    await world.pump()
    assert len(said(world)) == 4
    assert probe(world, b"c4").alarm == 9000
    assert world.meta().watermark_at_ms == 100


@in_a_world
async def test_i10_ticks_are_read_from_their_last_on_assignment() -> None:
    world = World(ProbingBrain())
    for now_ms in range(100, 200):
        world.tick(now_ms)
    await world.start()
    assert world.engine.starts()[TopicPartition(TICK, 0)] == 99
    await world.pump()
    assert world.meta().watermark_at_ms == 199


@in_a_world
async def test_i10_a_tick_not_after_the_watermark_changes_nothing() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50", now_ms=100)
    before = world.changelog()
    await world.fed(CUSTOMER, BOB, b"bob:alarm 60")
    for now_ms in (100, 90):
        world.tick(now_ms)
    await world.pump()
    assert said(world) == [b"woken 100"]
    assert world.meta().watermark_at_ms == 100
    assert before


@in_a_world
async def test_i10_a_clock_that_is_ahead_makes_nothing_early() -> None:
    world = World(ProbingBrain(), is_time_virtual=False)
    await world.start()
    world.cluster.at_ms = 40
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50", now_ms=3_600_000)
    assert said(world) == []
    assert world.meta().watermark_at_ms == 40
