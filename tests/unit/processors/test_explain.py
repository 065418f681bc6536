"""A customer's story as a person reads it (P35, P36), and the touches to come."""

import pytest

from processors.explain import explain
from processors.given import Quarantined
from processors.reasons import SENTENCES, WORDS, sentence_for
from processors.upcoming import upcoming
from schemas.vocabulary import Channel, Reason, RequestKind, Verdict
from tests.builders import a_contract, a_customer, a_decision, a_payment, a_request, ms
from tests.unit.processors.story import POLICIES, Story, silence

NOW_MS = ms("2026-06-02T00:00Z")


def told(story: Story) -> str:
    return "\n".join(explain(story.state, story.decisions, story.policies, story.now_ms).lines())


def test_every_reason_has_a_sentence_and_every_verdict_a_word() -> None:
    assert SENTENCES.keys() == set(Reason)
    assert WORDS.keys() == set(Verdict)
    assert all(sentence_for(reason) and not sentence_for(reason).endswith(".") for reason in Reason)


def test_p35_p36_the_story_says_what_was_sent_and_what_comes_next_with_zone_and_utc() -> None:
    text = told(Story(a_customer(), a_contract()).run(NOW_MS))
    assert "Mon 2026-06-01 09:00 Asia/Shanghai (UTC+08:00) = 2026-06-01 01:00 UTC" in text
    assert "t30 of contract k-1 by email: sent, because the provider accepted it" in text
    assert "Tue 2026-06-23 09:00 Asia/Shanghai (UTC+08:00) = 2026-06-23 01:00 UTC  t7 of contract k-1 by email" in text


def test_p36_a_touch_that_was_not_sent_says_why() -> None:
    story = Story(a_customer(), a_contract()).run(NOW_MS).take(a_payment())
    assert "as things stand it will not be sent, because the renewal was already paid" in told(story)
    assert "not sent, because the renewal was already paid" in told(story.run(ms("2026-06-24T00:00Z")))


def test_what_waits_at_a_channel_is_told() -> None:
    story = Story(a_customer(), a_contract()).run(ms("2026-06-01T02:00Z"), answer=silence)
    assert "its channel has not reported yet" in told(story)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (Quarantined(cause="invalid"), "quarantined (invalid)"),
        (a_request(kind=RequestKind.OPTED_OUT), "unsubscribed from every channel"),
        (a_request(kind=RequestKind.CONSENT_WITHDRAWN, channel=Channel.EMAIL), "consent withdrawn for email"),
        (a_request(kind=RequestKind.ERASURE), "erased"),
        (a_payment(contract_id="k-9"), "contract k-9, term t-1: renewal paid; the contract itself is not known yet"),
    ],
)
def test_what_stands_against_a_customer_is_told(given: Quarantined, sentence: str) -> None:
    assert sentence in told(Story(a_customer(), a_contract()).take(given))


def test_an_operators_stop_is_told() -> None:
    story = Story(a_customer(), a_contract(), policies=POLICIES.stopped(Channel.EMAIL))
    assert "an operator has stopped sending by email, until `perennial start`" in told(story)


def test_the_names_of_the_reminders_are_told() -> None:
    assert "days before the last covered day: t90 = 90, t30 = 30, t7 = 7, t3 = 3, t0 = 0" in told(Story(a_contract()))


def test_a_zone_of_other_zone_data_is_no_reason_to_tell_nothing() -> None:
    foreign = a_decision(zone="Mars/Olympus", verdict=Verdict.MOVED, reason=Reason.QUIET_HOURS, next_look_at_ms=NOW_MS)
    state = Story(a_customer()).state
    assert "moved" in explain(state, [foreign], POLICIES, NOW_MS).past[0].what


def test_an_id_neither_begins_a_line_nor_steers_the_terminal() -> None:
    text = told(Story(a_customer(), a_contract(contract_id="k-1\n  forged: sent\x1b[2J\u202eabc")))
    assert "k-1\\n  forged: sent\\x1b[2J\\u202eabc" in text
    assert "\x1b" not in text
    assert "\n  forged" not in text


def test_an_unknown_customer_is_told_as_such() -> None:
    assert "nothing is known" in "\n".join(explain(None, [], POLICIES, NOW_MS).lines())


def test_repeated_decisions_are_told_once() -> None:
    story = Story(a_customer(), a_contract()).run(NOW_MS)
    twice = explain(story.state, [*story.decisions, *story.decisions], POLICIES, NOW_MS)
    assert len(twice.past) == len(story.decisions)


def test_upcoming_lists_the_days_asked_for_in_order() -> None:
    story = Story(a_customer(), a_contract()).run(NOW_MS)
    assert story.state is not None
    assert [plan.step for plan in upcoming(story.state, POLICIES, NOW_MS, 90)] == ["t7", "t3", "t0"]
    assert [plan.step for plan in upcoming(story.state, POLICIES, NOW_MS, 21)] == ["t7"]
    assert [plan.step for plan in upcoming(story.state, POLICIES, NOW_MS, 20)] == []


def test_upcoming_agrees_with_what_is_then_released() -> None:
    story = Story(a_customer(), a_contract())
    assert story.state is not None
    planned = {plan.step: plan.at_ms for plan in upcoming(story.state, POLICIES, story.now_ms, 365)}
    assert story.run(ms("2026-07-20T00:00Z")).sent_at() == planned


def test_a_touch_moved_out_of_quiet_hours_is_planned_at_the_opening() -> None:
    story = Story(a_customer(), a_contract(), now_ms=ms("2026-06-23T15:00Z"))
    assert story.state is not None
    first = upcoming(story.state, POLICIES, story.now_ms, 2)[0]
    assert (first.step, first.at_ms, first.blocked_by) == ("t7", ms("2026-06-24T01:00Z"), None)
