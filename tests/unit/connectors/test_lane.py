"""A lane keeps order within a customer, and positions without a gap."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connectors.delivery.lane import BACKLOG_LIMIT, Lane
from connectors.fences import FenceTable
from connectors.ledger import Ledger
from connectors.orders import Order, order_of
from schemas.outputs import SendTouch
from tests.delivering.in_memory import command_for

NOW_MS = 1_000


def a_lane(position: int = 0) -> Lane:
    return Lane(position=position, ledger=Ledger(), fences=FenceTable())


def place(command: SendTouch, offset: int) -> Order:
    return order_of(command, partition=0, offset=offset, appended_at_ms=0)


def take(lane: Lane) -> Order:
    order = lane.take(NOW_MS)
    assert order is not None
    return order


def test_the_position_stops_at_the_first_open_order() -> None:
    lane = a_lane()
    for offset in range(3):
        lane.accept(place(command_for(f"c{offset}"), offset))
    first, second, third = take(lane), take(lane), take(lane)
    lane.finish(second)
    lane.finish(third)
    assert lane.advance() is None
    lane.finish(first)
    assert lane.advance() == 3
    assert lane.advance() is None


def test_offsets_that_hold_no_record_are_passed() -> None:
    lane = a_lane(10)
    lane.accept(place(command_for("c1"), 14))
    lane.finish(take(lane))
    assert lane.advance() == 15


def test_what_lies_before_the_position_is_not_taken_again() -> None:
    lane = a_lane(5)
    lane.accept(place(command_for("c1"), 4))
    assert lane.take(NOW_MS) is None


def test_a_deferred_order_holds_its_customer_and_nobody_else() -> None:
    lane = a_lane()
    for offset, customer in enumerate(("c1", "c1", "c2")):
        lane.accept(place(command_for(customer, step=f"s{offset}"), offset))
    lane.defer(take(lane), NOW_MS + 1)
    assert take(lane).offset == 2
    assert lane.take(NOW_MS) is None
    woken = lane.take(NOW_MS + 1)
    assert woken is not None
    assert woken.offset == 0


def test_a_lane_says_when_it_holds_enough() -> None:
    lane = a_lane()
    for offset in range(BACKLOG_LIMIT):
        lane.accept(place(command_for("c1"), offset))
    assert lane.is_full


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_in_any_order_of_finishing_customers_keep_theirs_and_positions_only_grow(
    customers: list[int], random: Random
) -> None:
    lane = a_lane()
    for offset, customer in enumerate(customers):
        lane.accept(place(command_for(f"c{customer}", step=f"s{offset}"), offset))
    running: list[Order] = []
    finished: list[Order] = []
    position = 0
    while len(finished) < len(customers):
        while (order := lane.take(NOW_MS)) is not None:
            running.append(order)
        assert len({one.command.customer_id for one in running}) == len(running)
        done = running.pop(random.randrange(len(running)))
        lane.finish(done)
        finished.append(done)
        moved = lane.advance()
        position = position if moved is None else moved
        assert {one.offset for one in finished} >= set(range(position))
    assert position == len(customers)
    for customer in set(customers):
        offsets = [one.offset for one in finished if one.command.customer_id == f"c{customer}"]
        assert offsets == sorted(offsets)
