"""A worker's local store is only a copy: killed and deprived of it, again and again, it goes on from the changelog."""

from tests.e2e.story import Story, contract, customer, payment

NAMES = ("C-1", "C-2", "C-3", "C-4")


def test_a_worker_without_its_store_goes_on_where_it_was(story: Story) -> None:
    story.publish(*(row for name in NAMES for row in (customer(name), contract(name, name, "2026-02-10"))))
    story.pass_time("2026-02-02T20:00:00Z")
    story.lose_store()
    story.pass_time("2026-02-03T10:00:00Z")
    assert sorted(story.mails()) == [(name, "t7") for name in NAMES]

    story.publish(payment("C-1", "C-1"))
    story.lose_store()
    before = story.explain("C-2")
    story.lose_store()
    assert story.explain("C-2") == before
    story.pass_time("2026-02-09T10:00:00Z")  # t3 falls on a Saturday and opens on the Monday
    assert sorted(story.mails()) == sorted([(name, "t7") for name in NAMES] + [(name, "t3") for name in NAMES[1:]])
    assert "t3 of contract C-1 by email: not sent, because the renewal was already paid" in story.explain("C-1")
