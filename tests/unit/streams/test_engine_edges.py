"""Inputs at the edge of what fits, and answers that do not come: nothing of it may stop a partition (I7, I8, law 4)."""

from typing import Any

import msgspec
import pytest

from schemas.errors import ExitCode, ExitError, SchemaUnavailable
from schemas.events import RequestMade
from schemas.identity import CustomerId, EventId
from schemas.topics import CUSTOMER, PAYMENT, REQUEST
from schemas.vocabulary import RequestKind
from streams.brain import Applied
from tests.unit.streams.looking import ANN, probe, said
from tests.unit.streams.probing import Probe, ProbingBrain
from tests.unit.streams.world import World, in_a_world


def release(**mend: Any) -> RequestMade:  # noqa: ANN401
    return RequestMade(
        event_id=EventId("r"),
        customer_id=CustomerId("ann"),
        kind=RequestKind.QUARANTINE_RELEASE,
        occurred_at_ms=1,
        **mend,
    )


@pytest.mark.parametrize("topic", ["renewal.policy.v1", "no.such.topic"])
def test_i7_a_release_that_names_another_topic_is_refused_and_the_worker_lives(topic: str) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        await world.fed(CUSTOMER, ANN, b"ann:raise")
        await world.fed(REQUEST, ANN, release(replacement_topic=topic, replacement=b"ann:mended"))
        assert world.engine.part(0).held == {ANN: 1}
        assert world.fences()[b"hold|ann"] is not None
        await world.fed(CUSTOMER, b"bob", b"bob:say on")
        assert said(world) == [b"on"]

    play()


@in_a_world
async def test_i7_kept_inputs_that_outgrow_the_state_are_refused_at_their_release() -> None:
    world = World(Loud())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:raise")
    await world.fed(PAYMENT, ANN, b"ann:bigstate 2000000")
    await world.fed(REQUEST, ANN, release(is_drop=True))
    assert world.engine.part(0).held == {ANN: 1}


@in_a_world
async def test_i7_a_state_that_has_no_room_for_its_mark_is_held_by_its_fence() -> None:
    world = World(Loud())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:bigstate 1040200")
    await world.fed(CUSTOMER, ANN, b"ann:invalid")
    assert world.fences()[b"hold|ann"] is not None
    assert world.engine.part(0).held == {ANN: 1}


@in_a_world
async def test_i8_a_state_that_rejudging_outgrows_holds_that_customer_alone() -> None:
    brain = Loud()
    world = World(brain)
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:bigstate 1040200")
    brain.rejudge_adds = 200
    world.publish("renewal.policy.v1", b"p0", b"2", partition=0)
    await world.pump()
    assert world.meta().rejudge_cursor is None
    assert world.fences()[b"hold|ann"] is not None


@in_a_world
async def test_i7_a_state_too_large_for_a_wake_is_refused_with_the_input_that_made_it_so() -> None:
    world = World(Loud())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50")
    await world.fed(CUSTOMER, ANN, b"ann:bigstate 1045000")
    assert [letter.origin_topic for letter in world.dead_letters()] == [CUSTOMER]
    assert world.engine.part(0).held == {ANN: 1}
    await world.fed(REQUEST, ANN, release(is_drop=True))
    assert world.engine.part(0).held == {}


@in_a_world
async def test_i7_a_state_as_large_as_may_be_still_takes_the_mark_of_its_hold() -> None:
    brain = Loud()
    brain.mark_adds = 3_000
    world = World(brain)
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:bigstate 1040200")
    await world.fed(CUSTOMER, ANN, b"ann:invalid")
    assert world.engine.part(0).held == {ANN: 1}
    assert probe(world, ANN).seen == ("y" * 3_000,)


@in_a_world
async def test_i7_a_release_that_outgrows_the_changelog_is_refused_and_the_worker_lives() -> None:
    brain = Loud()
    brain.release_adds = 2_000_000
    world = World(brain)
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:raise")
    await world.fed(REQUEST, ANN, release(is_drop=True))
    assert [letter.origin_topic for letter in world.dead_letters()] == [CUSTOMER, REQUEST]
    assert world.engine.part(0).held == {ANN: 1}


@in_a_world
async def test_a_wake_encodes_a_state_once() -> None:
    brain = Loud()
    world = World(brain)
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 50")
    encode, encoded = brain.encode_state, list[object]()

    def counted(state: object) -> bytes:
        encoded.append(state)
        return encode(state)

    brain.encode_state = counted
    world.tick(100)
    await world.pump()
    assert said(world) == [b"woken 100"]
    assert len(encoded) == 1


class Loud(ProbingBrain):
    """Bounds how often it is asked, so that a circle without an end fails a test instead of hanging it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.rejudge_adds, self.mark_adds, self.release_adds = 0, 0, 8_000, 0

    def step(self, state: Probe | None, given: Any, policies: Any, now_ms: int) -> Applied:  # noqa: ANN401
        self.asked += 1
        if self.asked > 200:
            raise ExitError(ExitCode.CRASHED, "asked again and again")
        if given == self.rejudge and self.rejudge_adds and state:
            return Applied(msgspec.structs.replace(state, seen=("x" * self.rejudge_adds,)))
        name = getattr(given, "name", "")
        if name == "released" and self.release_adds and state:
            return Applied(msgspec.structs.replace(state, seen=("z" * self.release_adds,)))
        if name == "quarantined" and state and len(state.hold) > 1_000:
            return Applied(
                msgspec.structs.replace(state, seen=("y" * self.mark_adds,)),
                (self._hold(state.customer, given.cause, 0),),
            )
        return super().step(state, given, policies, now_ms)


@pytest.mark.parametrize("key", [b"k" * 600_000, b"\xff" * 400_000])
@pytest.mark.parametrize("value", [b"garbage", None])
def test_i7_a_key_too_long_for_any_customer_is_a_dead_letter_and_no_exit(key: bytes, value: bytes | None) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain())
        await world.start()
        await world.fed(CUSTOMER, key, value)  # type: ignore[arg-type]
        assert [letter.original_key for letter in world.dead_letters()] == [key]
        await world.fed(CUSTOMER, ANN, b"ann:say on")
        assert said(world) == [b"on"]
        rows = world.records("world-state-changelog")
        assert max(len(row.key or b"") + len(row.value or b"") for row in rows) < 1_000_000

    play()


class Waiting(ProbingBrain):
    """Cannot write while the registry is away, as a real codec before its first record of a kind."""

    is_away = False

    def step(self, state: Probe | None, given: Any, policies: Any, now_ms: int) -> Applied:  # noqa: ANN401
        if self.is_away and getattr(given, "name", "") in {"wake", "released"}:
            raise SchemaUnavailable("the registry is away")
        return super().step(state, given, policies, now_ms)


@in_a_world
async def test_law4_a_wake_waits_for_the_registry_and_holds_nobody() -> None:
    brain = Waiting()
    world = World(brain)
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:alarm 10")
    brain.is_away = True
    world.tick(20)
    world.engine.submit(world.intake.fetch(0))
    await world.settle()
    assert world.engine.part(0).held == {}
    assert world.dead_letters() == []
    brain.is_away = False
    await world.rest()
    assert said(world) == [b"woken 20"]


@in_a_world
async def test_law4_a_release_waits_for_the_registry_and_is_no_dead_letter() -> None:
    brain = Waiting()
    world = World(brain)
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:raise")
    brain.is_away = True
    world.publish(REQUEST, ANN, release(is_drop=True))
    world.engine.submit(world.intake.fetch(0))
    await world.settle()
    assert len(world.dead_letters()) == 1
    brain.is_away = False
    await world.rest()
    assert world.engine.part(0).held == {}


@in_a_world
async def test_a_meta_row_from_the_future_is_a_named_exit() -> None:
    world = World(ProbingBrain())
    await world.start()
    await world.fed(CUSTOMER, ANN, b"ann:say x")
    world.cluster.append("world-state-changelog", b"m", b"\x09future", 0)
    with pytest.raises(ExitError, match="state_unreadable"):
        await world.restart()
