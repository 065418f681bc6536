"""Fences and heartbeats: what stands, and how long it is believed."""

import pytest

from connectors.fences import Clock, FenceTable, VirtualClock, WallClock
from schemas.identity import FenceKey, erased_fence, hold_fence
from schemas.vocabulary import FenceKind
from tests.builders import NOW_MS, a_fence, a_heartbeat, a_hold

HOLD = hold_fence("c-1")


def test_a_fence_stands_until_its_tombstone() -> None:
    table = FenceTable()
    table.apply(HOLD, a_hold())
    assert table.standing([FenceKey("x"), HOLD]) == HOLD
    table.apply(HOLD, None)
    assert table.standing([HOLD]) is None


@pytest.mark.parametrize(
    ("age_ms", "is_believed"), [(0, True), (3_000, True), (3_001, False), (-1_000, True), (-1_001, False)]
)
def test_a_heartbeat_is_believed_for_three_seconds(age_ms: int, is_believed: object) -> None:
    clock = WallClock(lambda: NOW_MS)
    assert clock.believes(a_heartbeat(fresh_at_ms=NOW_MS - age_ms)) is is_believed


def test_without_any_heartbeat_nothing_is_believed() -> None:
    assert not WallClock().believes(None)
    assert not VirtualClock().believes(None)


def test_on_a_virtual_clock_a_heartbeat_stays_fresh_and_tells_the_time() -> None:
    beat = a_heartbeat(fresh_at_ms=NOW_MS + 5, watermark_at_ms=NOW_MS, is_virtual=True)
    assert VirtualClock().believes(beat)
    assert VirtualClock().now_ms(beat) == NOW_MS


@pytest.mark.parametrize("clock", [WallClock(lambda: NOW_MS), VirtualClock()])
def test_a_heartbeat_of_another_time_is_never_believed(clock: Clock) -> None:
    assert clock.believes(a_heartbeat(fresh_at_ms=NOW_MS, is_virtual=clock.is_virtual))
    assert not clock.believes(a_heartbeat(fresh_at_ms=NOW_MS, is_virtual=not clock.is_virtual))


def test_a_fence_that_cannot_be_read_ends_all_belief() -> None:
    table = FenceTable()
    table.distrust()
    table.apply("heartbeat", a_heartbeat())
    assert table.heartbeat is None
    assert not table.has_reached(0)


def test_an_erased_fence_purges_what_is_cached() -> None:
    purged: list[str] = []
    table = FenceTable(on_erased=purged.append)
    table.apply(erased_fence("c-1"), a_fence(fence_key=erased_fence("c-1"), kind=FenceKind.ERASED, customer_id="c-1"))
    assert purged == ["c-1"]
