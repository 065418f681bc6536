"""Rows of the fault matrix that the pure core decides alone: calendars (F20) and disorder upstream (F23)."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from processors.calendar import local_time
from processors.state import encode_state
from schemas.events import CustomerInput
from schemas.identity import PaymentId
from schemas.vocabulary import Channel, ContractStatus, PaymentKind, RequestKind
from tests.builders import a_contract, a_customer, a_payment, a_request, ms
from tests.unit.processors.story import Story

ZONES_OF_F20 = (
    "America/New_York", "Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Beirut", "Australia/Lord_Howe",
    "Antarctica/Troll", "Africa/Casablanca", "Europe/Dublin", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Niue",
    "Asia/Kathmandu", "Pacific/Chatham", "Asia/Shanghai",
)  # fmt: skip
PERMUTATIONS = 1_000


@pytest.mark.parametrize("zone", ZONES_OF_F20)
def test_f20_a_year_of_expiries_leaves_one_touch_a_step_at_nine_on_the_right_local_day(zone: str) -> None:
    for expires_on in (date(2026, 4, 7) + timedelta(days=17 * number) for number in range(16)):
        story = Story(a_customer(zone=zone), a_contract(starts_on=date(2020, 2, 29), expires_on=expires_on))
        story.run(ms("2027-02-28T00:00Z"))
        assert [command.step for command in story.commands] == ["t90", "t30", "t7", "t3", "t0"]
        for command in story.commands:
            shown = local_time(command.decided_at_ms, zone)
            wanted = expires_on - timedelta(days=int(command.step[1:]))
            assert (shown.hour, shown.minute) == (9, 0)
            assert shown.date() in set(_near(wanted, is_last=command.step == "t0")), (zone, command.step, expires_on)


def _near(day: date, *, is_last: bool) -> Iterator[date]:
    """The day itself when people work on it, else the next working day, or the one before on the day of expiry."""
    step = timedelta(days=-1 if is_last else 1)
    while day.isoweekday() > 5:
        day += step
    yield day


def test_f23_any_order_with_every_record_three_times_reaches_the_state_of_the_sorted_inputs() -> None:
    records: list[CustomerInput] = [
        *(a_customer(version=version, zone=zone) for version, zone in enumerate(("Asia/Tokyo", "", "Europe/Paris"))),
        *(a_contract(version=version, amount_minor=1_000 + version) for version in range(3)),
        a_contract(version=3, expires_on=date(2026, 7, 31), status=ContractStatus.CANCELLED),
        a_contract(version=4, expires_on=date(2026, 8, 31), occurred_at_ms=ms("2027-06-20T00:00Z")),
        a_payment(),
        a_payment(version=2, kind=PaymentKind.REFUNDED),
        a_payment(payment_id=PaymentId("p-2"), kind=PaymentKind.PARTIAL, amount_minor=1_004),
        a_payment(contract_id="k-unknown"),
        a_request(occurred_at_ms=5),
        a_request(kind=RequestKind.OPTED_IN, occurred_at_ms=5),
        a_request(kind=RequestKind.OPTED_IN, channel=Channel.EMAIL, occurred_at_ms=9),
    ]
    expected = _bytes(records)
    luck = random.Random(23)
    for _ in range(PERMUTATIONS):
        shuffled = luck.sample(records * 3, k=3 * len(records))
        assert _bytes(shuffled) == expected


def _bytes(records: list[CustomerInput]) -> bytes:
    state = Story(*records).state
    assert state is not None
    return encode_state(state)
