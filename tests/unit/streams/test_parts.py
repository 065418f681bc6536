"""The engine's pure parts: chain, window, waiting ticks, positions, restarts, next instants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ExitCode, ExitError
from schemas.events import Tick
from schemas.outputs import HeartbeatSent
from schemas.transport.records import TopicPartition
from streams.barrier import is_passed
from streams.chain import Gaps, Link, link_of
from streams.intake import Slice
from streams.opening import _order
from streams.refusals import RefusalWindow, window_of
from streams.store import alarm_parts, alarm_row
from streams.supervisor import (
    FIRST_PAUSE_MS,
    LONGEST_BROKER_PAUSE_MS,
    LONGEST_PAUSE_MS,
    STEADY_MS,
    code_of,
    restart_after,
)
from streams.ticks import MOST_WAITING, WaitingTicks, stamped, virtual
from streams.virtual_clock import Heartbeats, next_instant_ms

TP = TopicPartition("topic", 0)


@pytest.mark.parametrize(
    ("start", "next_", "link"),
    [(5, 9, Link.NEXT), (3, 6, Link.NEXT), (0, 5, Link.BEHIND), (6, 9, Link.GAP)],
)
def test_a_slice_continues_repeats_or_leaves_a_gap(start: int, next_: int, link: Link) -> None:
    assert link_of(Slice(TP, start, next_, (), 1), 5) is link


def test_alternating_gaps_of_two_inputs_end_the_worker_too() -> None:
    gaps, other = Gaps(), TopicPartition("other", 0)
    for _ in range(2):
        gaps.met(TP, 5)
        gaps.met(other, 7)
    with pytest.raises(ExitError, match="chain_broken"):
        gaps.met(TP, 5)


@given(st.lists(st.booleans(), max_size=2_500))
def test_the_refusal_window_counts_the_last_thousand_exactly(refusals: list[bool]) -> None:
    window = RefusalWindow()
    for is_refused in refusals:
        window = window.refused() if is_refused else window.applied(1)
    last = refusals[-1_000:]
    in_a_row = next((n for n, one in enumerate(reversed(refusals)) if not one), len(refusals))
    assert (window.bits.bit_count(), window.seen) == (sum(last), len(last))
    assert window.is_over_limit == ((len(last) == 1_000 and sum(last) > 200) or in_a_row >= 1_000)
    assert window_of(window.packed(), window.seen, window.in_a_row) == window


@given(st.integers(0, 1_500), st.integers(0, 1_500))
def test_applying_many_is_applying_one_many_times(refused: int, applied: int) -> None:
    window = RefusalWindow()
    for _ in range(min(refused, 900)):
        window = window.refused()
    one_by_one = window
    for _ in range(applied):
        one_by_one = one_by_one.applied(1)
    assert window.applied(applied) == one_by_one


def test_a_barrier_that_does_not_name_a_topic_is_not_passed() -> None:
    tick = Tick(now_ms=1, barrier={"a": 3})
    assert is_passed(tick, {"a": 3, "b": 9}, ("a",))
    assert not is_passed(tick, {"a": 2}, ("a",))
    assert not is_passed(tick, {"a": 3, "b": 9}, ("a", "b"))


def test_waiting_ticks_stay_few_and_keep_the_oldest_and_the_newest() -> None:
    waiting = WaitingTicks()
    for now_ms in range(1, 10_000):
        waiting.add(virtual(Tick(now_ms=now_ms, barrier={"a": now_ms}), now_ms))
    assert len(waiting) <= MOST_WAITING
    assert waiting.oldest_at_ms() == 1
    newest = waiting.newest_passed({"a": 10**6}, ("a",))
    assert newest is not None
    assert newest.now_ms == 9_999


def test_a_real_tick_is_never_later_than_the_broker_took_it() -> None:
    assert stamped(Tick(now_ms=90, barrier={}), 40, 1).now_ms == 40
    assert stamped(Tick(now_ms=90, barrier={}), 40, 1).is_ahead
    assert stamped(Tick(now_ms=30, barrier={}), 40, 1).now_ms == 30


@given(st.integers(0, 2**50), st.binary(min_size=1, max_size=30))
def test_alarm_rows_name_their_instant_and_customer(due_at_ms: int, customer: bytes) -> None:
    assert alarm_parts(alarm_row(due_at_ms, customer)) == (due_at_ms, customer)


@given(st.lists(st.integers(0, 2**50), min_size=2, max_size=20))
def test_alarm_rows_sort_by_their_instant(instants: list[int]) -> None:
    rows = [alarm_row(at_ms, b"c") for at_ms in instants]
    assert [alarm_parts(row)[0] for row in sorted(rows)] == sorted(instants)


@pytest.mark.parametrize(
    ("older", "newer"), [("2026.2", "2026.10"), ("2026.9", "2027.1"), ("", "2026.1"), ("1", "1.1")]
)
def test_data_versions_compare_by_their_numbers(older: str, newer: str) -> None:
    assert _order(older) < _order(newer)


def test_a_crash_is_restarted_with_growing_pauses_and_an_end_is_not() -> None:
    crashed = ExitCode.FENCED.status
    assert restart_after(0, 10, 0).pause_ms is None
    assert restart_after(ExitCode.SETTINGS_INVALID.status, 10, 0).pause_ms is None
    assert restart_after(crashed, 10, 0).pause_ms == FIRST_PAUSE_MS
    assert restart_after(crashed, 10, FIRST_PAUSE_MS).pause_ms == 2 * FIRST_PAUSE_MS
    assert restart_after(crashed, 10, LONGEST_PAUSE_MS).pause_ms == LONGEST_PAUSE_MS
    assert restart_after(crashed, STEADY_MS, LONGEST_PAUSE_MS).pause_ms == FIRST_PAUSE_MS


def test_f05_a_worker_whose_brokers_were_away_is_back_soon_after_them() -> None:
    away = ExitCode.BROKER_UNAVAILABLE.status
    assert restart_after(away, 10, LONGEST_PAUSE_MS).pause_ms == LONGEST_BROKER_PAUSE_MS
    assert restart_after(away, 10, 0).pause_ms == FIRST_PAUSE_MS


def test_every_exit_has_a_name() -> None:
    assert {code_of(code.status) for code in ExitCode} == set(ExitCode)
    assert code_of(-9) is ExitCode.CRASHED
    assert ExitError(ExitCode.FENCED, "x").code is ExitCode.FENCED


@pytest.mark.parametrize(
    ("alarm", "input_", "chosen"),
    [(50, 70, 50), (70, 50, 50), (None, 70, 70), (5, None, 11), (None, None, 100), (500, None, 100)],
)
def test_a_virtual_clock_jumps_to_what_comes_next(alarm: int | None, input_: int | None, chosen: int) -> None:
    assert next_instant_ms(10, alarm, input_, 100) == chosen


def test_lock_step_waits_for_every_partition_and_for_what_is_out() -> None:
    heartbeats = Heartbeats(partitions=2)

    def beat(partition: int, watermark: int, outstanding: int = 0, alarm: int = 0) -> None:
        heartbeats.take(
            HeartbeatSent(
                partition=partition,
                watermark_at_ms=watermark,
                fresh_at_ms=watermark,
                next_alarm_at_ms=alarm,
                outstanding=outstanding,
            )
        )

    beat(0, 10)
    assert not heartbeats.have_reached(10)
    beat(1, 10, outstanding=1, alarm=40)
    assert not heartbeats.have_reached(10)
    assert heartbeats.lagging(10) == {1: "at 10, outstanding 1"}
    beat(1, 10, alarm=30)
    assert heartbeats.have_reached(10)
    assert heartbeats.next_alarm_at_ms() == 30
