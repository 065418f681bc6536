"""The engine's invariants I1-I11 on a log in memory; each test fails when its mechanism is taken out."""

import pytest
from msgspec.structs import replace

from schemas.changelog import quarantine_row_key, state_row_key
from schemas.errors import ExitCode, ExitError
from schemas.events import RequestMade
from schemas.identity import CustomerId, EventId
from schemas.topics import (
    BARRIER,
    CONTRACT,
    CUSTOMER,
    DECISION,
    ENGAGEMENT,
    PAYMENT,
    POLICY,
    RECEIPT,
    REQUEST,
    STOPPING,
    TICK,
)
from schemas.transport.errors import Abortable, CommitUnknown
from schemas.transport.partitioner import partition_of
from schemas.transport.records import TopicPartition
from schemas.vocabulary import Channel, RequestKind
from streams.intake import Batch, Slice
from streams.store import alarm_row
from tests.unit.streams.probing import Probe, ProbingBrain
from tests.unit.streams.world import World, in_a_world

ANN, BOB = b"ann", b"bob"


def probe(world: World, customer: bytes, partition: int = 0) -> Probe:
    """A customer's state as the changelog has it."""
    return ProbingBrain().decode_state(world.changelog(partition)[state_row_key(customer)])


def said(world: World, partition: int = 0) -> list[bytes | None]:
    """What readers of decisions see."""
    return [record.value for record in world.records(DECISION, partition)]


@in_a_world
async def test_i1_outputs_state_and_positions_become_visible_together() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:say hello")
    assert said(world) == [b"hello"]
    assert probe(world, ANN).seen == ("say hello",)
    assert world.position(CUSTOMER) == 1
    transactions = {
        id(record.transaction) for topic in (DECISION, "world-state-changelog") for record in world.records(topic)[-1:]
    }
    assert len(transactions) == 1


@in_a_world
async def test_i1_an_aborted_batch_leaves_nothing_and_runs_again() -> None:
    world = World(ProbingBrain())
    await world.start()
    world.log.producers[0].trouble = [Abortable("told to")]
    await world.fed(CUSTOMER, ANN, b"ann:say once")
    assert said(world) == [b"once"]
    assert probe(world, ANN).seen == ("say once",)
    await world.restart()  # the position in the store must have survived the aborted rows
    assert world.engine.part(0).changelog_next == world.cluster.end(TopicPartition("world-state-changelog", 0))


@in_a_world
async def test_i2_a_predecessor_ends_itself_once_it_has_a_successor() -> None:
    world = World(ProbingBrain())
    await world.start()
    zombie, its_intake = world.engine, world.intake
    await world.start()
    world.publish(CUSTOMER, ANN, b"ann:say mine")
    zombie.submit(its_intake.fetch(0))
    await world.pump()
    assert said(world) == [b"mine"]
    ended = zombie.failed.result()
    assert isinstance(ended, ExitError)
    assert ended.code is ExitCode.FENCED


@in_a_world
async def test_i2_an_unanswered_commit_is_repeated_and_its_batch_is_not() -> None:
    world = World(ProbingBrain())
    await world.start()
    world.log.producers[0].trouble = [CommitUnknown("no answer")]
    await world.fed(CUSTOMER, ANN, b"ann:say once")
    assert said(world) == [b"once"]


@in_a_world
async def test_i3_a_gap_is_healed_by_seeking_back() -> None:
    world = World(ProbingBrain())
    await world.start()
    for number in range(4):
        world.publish(CUSTOMER, ANN, b"ann:%d" % number)
    whole = world.intake.fetch(0, (CUSTOMER,)).slices[0]
    late = Slice(whole.tp, 2, 4, whole.records[2:], whole.epoch)
    world.engine.submit(Batch(0, (late,)))
    await world.rest()
    assert world.intake.seeks[-1] == {whole.tp: 0}
    await world.pump()
    assert probe(world, ANN).seen == ("0", "1", "2", "3")


@in_a_world
async def test_i3_the_same_gap_three_times_ends_the_worker() -> None:
    world = World(ProbingBrain())
    await world.start()
    for number in range(4):
        world.publish(CUSTOMER, ANN, b"ann:%d" % number)
    tp = TopicPartition(CUSTOMER, 0)
    for _ in range(3):
        world.engine.submit(Batch(0, (Slice(tp, 2, 4, world.records(CUSTOMER)[2:], world.intake.epoch),)))
        await world.settle()
    with pytest.raises(ExitError, match="chain_broken"):
        await world.rest()


@in_a_world
async def test_i3_what_was_applied_before_is_trimmed_by_offset() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first")
    world.publish(CUSTOMER, ANN, b"ann:second")
    overlapping = Slice(TopicPartition(CUSTOMER, 0), 0, 2, world.records(CUSTOMER), world.intake.epoch)
    world.engine.submit(Batch(0, (overlapping,)))
    await world.rest()
    assert probe(world, ANN).seen == ("first", "second")


@in_a_world
async def test_i3_a_slice_from_before_the_last_seek_is_dropped() -> None:
    world = World(ProbingBrain())
    await world.start()
    world.publish(CUSTOMER, ANN, b"ann:first")
    stale = world.intake.fetch(0)
    await world.own((0,))
    world.engine.submit(stale)
    await world.rest()
    assert state_row_key(ANN) not in world.changelog()
    await world.pump()
    assert probe(world, ANN).seen == ("first",)


@pytest.mark.parametrize("loss", ["position", "retention", "changelog"])
def test_i3_lost_inputs_are_a_named_exit_and_never_a_jump(loss: str) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        await world.fed(PAYMENT, ANN, b"ann:paid")
        tp = TopicPartition(PAYMENT, 0)
        if loss == "position":
            del world.cluster.positions[tp]
        elif loss == "retention":
            world.publish(PAYMENT, ANN, b"ann:again")
            world.publish(PAYMENT, ANN, b"ann:again")
            world.cluster.delete_before(tp, 2)
        else:
            world.cluster.logs[TopicPartition("world-state-changelog", 0)].clear()
        with pytest.raises(ExitError, match="inputs_lost"):
            await world.restart(without_store=True)

    play()


@in_a_world
async def test_i4_the_store_is_written_only_after_the_commit() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first")
    seen_at_commit: list[bytes | None] = []
    producer = world.log.producers[0]
    commit = producer.commit

    def watched() -> None:
        seen_at_commit.append(world.stores.rows[0].get(state_row_key(BOB)))
        commit()

    producer.commit = watched  # type: ignore[method-assign]
    await world.fed(CUSTOMER, BOB, b"bob:first")
    assert seen_at_commit == [None]
    assert world.stores.rows[0].get(state_row_key(BOB)) is not None


@in_a_world
async def test_i4_a_restart_without_a_store_restores_the_same_rows() -> None:
    world = World(ProbingBrain())
    await world.start()
    for customer in (ANN, BOB):
        await world.fed(CUSTOMER, customer, customer + b":alarm 50")
    await world.fed(PAYMENT, BOB, b"bob:raise")
    before = {row: value for row, value in world.stores.rows[0].scan(b"", b"") if row[:1] not in {b"o", b"p"}}
    await world.restart(without_store=True)
    after = {row: value for row, value in world.stores.rows[0].scan(b"", b"") if row[:1] not in {b"o", b"p"}}
    assert after == before
    assert world.engine.part(0).held == {BOB: 1}


@in_a_world
async def test_i4_a_store_of_another_changelog_is_discarded() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:old life")
    foreign = world.stores
    other = World(ProbingBrain())
    other.stores = foreign
    await other.start()
    await other.fed(CUSTOMER, BOB, b"bob:new life")
    assert other.stores.rows[0].get(state_row_key(ANN)) is None


@in_a_world
async def test_i4_a_store_older_than_tombstones_is_discarded() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first")
    world.stores.rows[0].write({state_row_key(BOB): b"a ghost whose tombstone is gone"})
    world.clock.at_ms += 7 * 86_400_000
    await world.restart()
    assert world.stores.rows[0].get(state_row_key(BOB)) is None
    assert world.stores.rows[0].get(state_row_key(ANN)) is not None


@in_a_world
async def test_i5_an_alarm_row_is_a_hint_and_the_state_the_truth() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 500")
    world.stores.rows[0].write({alarm_row(10, ANN): b""})
    world.tick(100)
    await world.pump()
    assert said(world) == []
    assert world.stores.rows[0].get(alarm_row(10, ANN)) is None
    world.tick(500)
    await world.pump()
    assert said(world) == [b"woken 500"]


@in_a_world
async def test_i5_an_alarm_set_below_the_last_scan_is_found() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 500", now_ms=600)
    await world.fed(CUSTOMER, BOB, b"bob:alarm 20", now_ms=700)
    assert said(world) == [b"woken 600", b"woken 700"]


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
    assert world.meta().data_versions == {"tzdata": "2026.10"}
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
