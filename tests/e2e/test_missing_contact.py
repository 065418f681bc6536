"""A customer without an address: nobody is called, a person is asked to complete the contact, once."""

from schemas import topics
from tests.e2e.story import Story, contract, customer


def test_a_customer_without_an_address_becomes_one_task(story: Story) -> None:
    rows = customer("C-1", contact={"name": "A&B"}), contract("C-1", "K-1", "2026-02-10")
    story.publish(*rows)
    story.pass_time("2026-02-03T09:00:00Z")
    story.kill_worker()
    story.publish(*rows)
    story.pass_time("2026-02-03T12:00:00Z")
    assert story.mails() == []
    assert len(story.records(topics.TASK, "C-1")) == 1
    told = story.explain("C-1")
    assert "t7 of contract K-1 by email: not sent, because there was no usable address" in told
    assert "t3 of contract K-1 by email, as things stand it will not be sent, because there was no usable" in told

    story.publish(customer("C-1", version=2))  # the task is done: the window is still open
    story.pass_time("2026-02-09T10:00:00Z")
    assert story.mails() == [("K-1", "t7"), ("K-1", "t3")]
    assert len(story.records(topics.TASK, "C-1")) == 1
