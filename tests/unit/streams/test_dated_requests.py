"""A wish dated ahead of the log counts as of the moment the broker took it, and never outlives an opt-out (C7)."""

import pytest

from processors.state import CustomerState
from schemas.codec import packaged_codec
from schemas.events import RequestMade
from schemas.identity import CustomerId, EventId
from schemas.topics import REQUEST
from schemas.vocabulary import Channel, RequestKind
from streams.renewals import RenewalBrain
from tests.unit.streams.looking import ANN, probe
from tests.unit.streams.probing import ProbingBrain
from tests.unit.streams.world import World, in_a_world

YEAR_MS = 366 * 86_400_000


def wish(kind: RequestKind, occurred_at_ms: int) -> RequestMade:
    return RequestMade(
        event_id=EventId(f"{kind.value}-{occurred_at_ms}"),
        customer_id=CustomerId("ann"),
        occurred_at_ms=occurred_at_ms,
        kind=kind,
        channel=Channel.EMAIL,
    )


async def wishes_of(world: World) -> list[tuple[bool, int]]:
    """Opt in with a clock a year ahead, opt out a minute later by the broker's, and see what stands."""
    await world.start()
    world.cluster.at_ms = 1_000
    await world.fed(REQUEST, ANN, wish(RequestKind.OPTED_IN, YEAR_MS))
    world.cluster.at_ms = 61_000
    await world.fed(REQUEST, ANN, wish(RequestKind.OPTED_OUT, 60_000))
    await world.restart(without_store=True)
    state: CustomerState = world.brain.decode_state(world.changelog()[b"c|ann"])
    return [(known.is_given, known.occurred_at_ms) for known in state.permissions]


@in_a_world
async def test_c7_an_opt_out_beats_an_earlier_opt_in_that_claims_to_be_of_next_year() -> None:
    world = World(RenewalBrain(packaged_codec()), is_time_virtual=False)
    assert await wishes_of(world) == [(False, 60_000)]


@in_a_world
async def test_on_a_virtual_clock_the_instant_of_a_wish_is_of_the_domain_and_stands() -> None:
    world = World(RenewalBrain(packaged_codec()), is_time_virtual=True)
    assert await wishes_of(world) == [(True, YEAR_MS)]


@pytest.mark.parametrize("mend", [b"ann:dated", b""])
def test_i8_a_wish_kept_in_quarantine_is_dated_by_its_own_append(mend: bytes) -> None:
    @in_a_world
    async def play() -> None:
        world = World(ProbingBrain(), is_time_virtual=False)
        await world.start()
        world.cluster.at_ms = 10
        await world.fed(REQUEST, ANN, b"ann:raise" if mend else b"ann:say x")
        if mend:
            world.cluster.at_ms = 20
            await world.fed(REQUEST, ANN, mend)
            world.cluster.at_ms = 30
            release = RequestMade(
                event_id=EventId("r"),
                customer_id=CustomerId("ann"),
                kind=RequestKind.QUARANTINE_RELEASE,
                occurred_at_ms=1,
                is_drop=True,
            )
            await world.fed(REQUEST, ANN, release)
        assert probe(world, ANN).seen[-1] == ("dated by 20" if mend else "say x")

    play()
