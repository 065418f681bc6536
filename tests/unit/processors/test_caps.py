"""Frequency caps over all contracts: moved while there is room, suppressed when there is none, never silent (P18)."""

from datetime import date

import pytest

from processors.given import Given
from schemas.vocabulary import Outcome, Reason, ReceiptReason, Verdict
from tests.builders import a_contract, a_customer, ms
from tests.unit.processors.story import Story, receipt_for

CAPPED = (Verdict.MOVED, Reason.FREQUENCY_CAP)


def contracts(*days: str) -> list[Given]:
    """One contract for each last covered day, named k-1, k-2, ... ."""
    return [
        a_contract(contract_id=f"k-{number}", expires_on=date.fromisoformat(day))
        for number, day in enumerate(days, start=1)
    ]


def released(story: Story) -> list[tuple[str, str, int]]:
    return [(one.contract_id, one.step, one.decided_at_ms) for one in story.commands]


def test_p24_two_contracts_due_on_one_day_are_two_touches_on_two_days() -> None:
    story = Story(a_customer(), *contracts("2026-07-01", "2026-07-01"), now_ms=ms("2026-06-20T00:00Z"))
    story.run(ms("2026-06-27T00:00Z"))
    assert released(story) == [("k-1", "t7", ms("2026-06-24T01:00Z")), ("k-2", "t7", ms("2026-06-25T01:00Z"))]
    assert ("t7", *CAPPED) in story.told()


def test_the_more_urgent_touch_goes_first() -> None:
    story = Story(a_customer(), *contracts("2026-07-24", "2026-07-01"), now_ms=ms("2026-06-20T00:00Z"))
    story.run(ms("2026-06-25T02:00Z"))
    assert released(story) == [("k-2", "t7", ms("2026-06-24T01:00Z")), ("k-1", "t30", ms("2026-06-25T01:00Z"))]


def test_three_in_seven_days_and_then_the_rest_is_moved_or_suppressed() -> None:
    days = ("2026-07-01", "2026-07-01", "2026-07-02", "2026-07-02", "2026-07-03")
    story = Story(a_customer(), *contracts(*days), now_ms=ms("2026-06-20T00:00Z"))
    story.run(ms("2026-06-30T00:00Z"))
    t7 = [one for one in released(story) if one[1] == "t7"]
    assert len(t7) == 3
    told = [(one.contract_id, one.verdict, one.reason) for one in story.decisions if one.step == "t7"]
    assert ("k-4", Verdict.SUPPRESSED, Reason.FREQUENCY_CAP) in told
    assert ("k-5", Verdict.SUPPRESSED, Reason.FREQUENCY_CAP) in told


def test_the_day_of_expiry_is_exempt_and_counts_for_the_others() -> None:
    story = Story(a_customer(), *contracts("2026-06-24", "2026-06-24", "2026-07-01"), now_ms=ms("2026-06-23T02:00Z"))
    story.run(ms("2026-06-25T02:00Z"))
    at_ms = ms("2026-06-24T01:00Z")
    t0 = [one for one in released(story) if one[1] == "t0"]
    assert t0 == [("k-1", "t0", at_ms), ("k-2", "t0", at_ms)]
    assert ("t7", *CAPPED) in story.told("t7")


@pytest.mark.parametrize(
    ("fourth", "is_moved"),
    [
        pytest.param("2026-07-31", False, id="due exactly seven days after the first, which no longer counts"),
        pytest.param("2026-07-30", True, id="due a day earlier: moved by a day"),
    ],
)
def test_the_period_slides(fourth: str, *, is_moved: bool) -> None:
    # t30 of three contracts on Wednesday 24 June and the two days after it
    story = Story(a_customer(), *contracts("2026-07-24", "2026-07-25", "2026-07-26", fourth))
    story.run(ms("2026-07-02T00:00Z"))
    mine = [one for one in story.decisions if (one.contract_id, one.step) == ("k-4", "t30")]
    assert ((mine[0].verdict, mine[0].reason) == CAPPED) is is_moved
    assert story.commands[-1].contract_id == "k-4"
    assert story.commands[-1].decided_at_ms == ms("2026-07-01T01:00Z")


def test_a_refused_attempt_does_not_count() -> None:
    story = Story(a_customer(), *contracts("2026-07-01", "2026-07-01"), now_ms=ms("2026-06-20T00:00Z"))
    refusal = (Outcome.REFUSED, ReceiptReason.NO_CONTACT)
    story.run(ms("2026-06-24T02:00Z"), answer=lambda command: receipt_for(command, *refusal))
    assert [one[0] for one in released(story)] == ["k-1"], "judged in one wake, before the refusal was known"
    story.run(ms("2026-06-25T02:00Z"))
    assert [one[0] for one in released(story)] == ["k-1", "k-2"]


@pytest.mark.parametrize("told", ["in doubt", "repriced while it is out"])
def test_what_may_have_reached_the_customer_counts(told: str) -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-22T00:00Z"))
    command = story.wake(ms("2026-06-23T01:00Z")).commands[0]
    doubt = receipt_for(command, Outcome.UNKNOWN, ReceiptReason.IN_DOUBT)
    story.take(doubt if told == "in doubt" else a_contract(version=2, amount_minor=5))
    story.take(a_contract(contract_id="k-2")).wake(ms("2026-06-23T02:00Z"))
    assert story.told("t7")[-1] == ("t7", *CAPPED)


def test_p4_the_day_of_the_cap_is_the_customers_own() -> None:
    story = Story(a_customer(zone="Pacific/Auckland"), a_contract()).run(ms("2026-06-22T00:00Z"))
    assert story.wake(ms("2026-06-22T21:00Z")).commands  # Tuesday 09:00 in Auckland
    story.take(a_contract(contract_id="k-2")).wake(ms("2026-06-23T02:00Z"))  # 14:00, the next day in UTC
    assert story.told("t7")[-1] == ("t7", *CAPPED)
