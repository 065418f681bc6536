"""A record nobody can read: its customer is held, told about, mended, and served in order as if it had been right."""

import json

from schemas import topics
from tests.e2e.story import Story, contract, customer, payment


def test_a_held_customer_is_released_with_the_corrected_record(story: Story) -> None:
    story.publish(customer("C-1"), contract("C-1", "K-1", "2026-02-10"))
    story.publish(customer("C-2"), contract("C-2", "K-2", "2026-02-10"))
    story.publish_raw(topics.PAYMENT, "C-1", b'{"payment": "as JSON"}')
    story.pass_time("2026-02-03T10:00:00Z")
    assert story.mails() == [("K-2", "t7")]  # rather no reminder than one after a payment we could not read
    story.publish(contract("C-1", "K-1", "2026-02-17", version=2))
    story.pass_time("2026-02-03T11:00:00Z")
    assert "quarantined" in story.explain("C-1")
    assert "C-1" in story.system.verb("quarantine", "list")
    story.kill_worker()
    mended = story.file(payment("C-1", "K-1", kind="failed"))
    story.system.verb("quarantine", "release", "C-1", "--replace", str(mended))
    story.pass_time("2026-02-03T12:00:00Z")
    again = story.system.verb("quarantine", "release", "C-1", "--drop", is_ok=False)
    assert "C-1 is not in quarantine" in again
    story.pass_time("2026-02-10T12:00:00Z")
    assert sorted(story.mails()) == [("K-1", "t7"), ("K-2", "t0"), ("K-2", "t3"), ("K-2", "t7")]
    told = story.explain("C-1")
    assert "quarantined (" not in told
    assert "last covered day 2026-02-17" in told  # what waited behind the refused record was applied


def test_a_dead_letter_says_what_it_was_and_what_to_do(story: Story) -> None:
    story.publish(customer("C-1"), contract("C-1", "K-1", "2026-02-10"))
    story.publish_raw(topics.CONTRACT, "C-1", b"\x00\x00\x00")
    story.pass_time("2026-02-03T10:00:00Z")
    story.kill_worker()
    listed = story.system.verb("dead-letters", "list")
    assert "undecodable" in listed
    assert "1 dead letters" in listed
    assert story.system.verb("dead-letters", "list") == listed
    letter = next(word for line in listed.splitlines() if "undecodable" in line for word in line.split() if word != "│")
    shown = story.system.verb("dead-letters", "show", letter)
    assert "00 00 00" in shown
    assert "perennial quarantine release C-1" in shown
    assert story.mails() == []


def test_nothing_is_released_without_its_own_record(story: Story) -> None:
    story.publish_raw(topics.CONTRACT, "C-1", b"garbage")
    story.pass_time("2026-02-02T10:00:00Z")
    foreign = story.file(payment("C-2", "K-2"))
    told = story.system.verb("quarantine", "release", "C-1", "--replace", str(foreign), is_ok=False)
    assert "is a record of C-2, not of C-1" in told
    assert json.loads(foreign.read_text(encoding="utf-8"))["customer_id"] == "C-2"
