"""A record nobody can read: its customer is held, told about, mended, and served in order as if it had been right."""

import json

from deploy.demo.inbox import accepted_mails
from schemas import topics
from tests.e2e.story import Story, contract, customer, payment, request


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


def test_a_corrected_record_brings_what_belongs_beside_it(story: Story) -> None:
    story.publish(customer("C-2"), contract("C-2", "K-2", "2026-02-10"))
    story.publish_raw(topics.CUSTOMER, "C-1", b"nobody can read this")
    story.publish_raw(topics.REQUEST, "C-2", b"nor this")
    story.publish(contract("C-1", "K-1", "2026-02-10"))
    story.pass_time("2026-02-03T10:00:00Z")
    assert "1 inputs wait behind a record" in story.explain("C-1")
    assert story.mails() == []

    for name, row in (("C-1", customer("C-1")), ("C-2", request("C-2", "erasure"))):
        mended = str(story.file(row))
        story.system.verb("quarantine", "release", name, "--replace", mended)
        story.kill_worker()
        story.system.verb("quarantine", "release", name, "--replace", mended, is_ok=False)
    story.pass_time("2026-02-03T11:00:00Z")
    assert story.mails() == [("K-1", "t7")]  # to the address that came with the corrected customer
    assert "erased: only this mark is left" in story.explain("C-2")
    assert story.records(topics.CONTACT_KEY, "C-2")[-1].value is None


def test_dropping_records_one_after_the_other_serves_what_waited_behind(story: Story) -> None:
    story.publish(customer("C-1"), contract("C-1", "K-1", "2026-02-10"))
    story.publish_raw(topics.PAYMENT, "C-1", b"the first")
    story.publish_raw(topics.PAYMENT, "C-1", b"the second")
    story.pass_time("2026-02-03T08:10:00Z")  # held; what follows waits
    story.publish(contract("C-1", "K-1", "2026-02-10", version=2, amount_minor=99_900))
    story.pass_time("2026-02-03T08:30:00Z")
    for told, now in (("2 inputs that", "2026-02-03T09:00:00Z"), ("1 inputs that", "2026-02-03T09:30:00Z")):
        assert told in story.system.verb("quarantine", "release", "C-1", "--drop")
        story.kill_worker()
        story.pass_time(now)
    assert "C-1 is not in quarantine" in story.system.verb("quarantine", "release", "C-1", "--drop", is_ok=False)
    assert story.mails() == [("K-1", "t7")]
    assert "999.00 EUR" in accepted_mails(story.system.inbox)[0].text  # the version that waited


def test_nothing_is_released_without_its_own_record(story: Story) -> None:
    story.publish_raw(topics.CONTRACT, "C-1", b"garbage")
    story.pass_time("2026-02-02T10:00:00Z")
    foreign = story.file(payment("C-2", "K-2"))
    told = story.system.verb("quarantine", "release", "C-1", "--replace", str(foreign), is_ok=False)
    assert "is a record of C-2, not of C-1" in told
    assert json.loads(foreign.read_text(encoding="utf-8"))["customer_id"] == "C-2"
