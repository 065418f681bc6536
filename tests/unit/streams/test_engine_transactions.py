"""Atomic, fenced, chained, store after commit, alarms derived: I1 to I5 on a log in memory."""

import pytest

from schemas.changelog import state_row_key
from schemas.errors import ExitCode, ExitError
from schemas.topics import (
    CUSTOMER,
    DECISION,
    PAYMENT,
)
from schemas.transport.errors import Abortable, CommitUnknown
from schemas.transport.records import TopicPartition
from streams.intake import Batch, Slice
from streams.store import alarm_row
from tests.unit.streams.looking import ANN, BOB, probe, said
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world


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
async def test_i4_a_store_whose_clock_was_ahead_is_not_young_for_ever() -> None:
    world = World(ProbingBrain())
    world.clock.at_ms = 90 * 86_400_000
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:first")
    rows = world.stores.rows[0]
    world.clock.at_ms = 10 * 86_400_000
    await world.restart()
    assert world.stores.rows[0] is not rows
    assert probe(world, ANN).seen == ("first",)
