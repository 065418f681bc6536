"""`explain` and `upcoming`: what became of a customer, and what comes next, as anybody can understand it."""

from tests.e2e.story import Story, contract, customer, payment


def test_explain_tells_what_was_sent_what_was_not_and_what_comes_next(story: Story) -> None:
    story.publish(customer("C-1"), contract("C-1", "K-1", "2026-02-10"), contract("C-1", "K-2", "2026-02-24"))
    story.pass_time("2026-02-03T12:00:00Z")
    story.publish(payment("C-1", "K-1"))
    story.kill_worker()
    story.pass_time("2026-02-06T12:00:00Z")
    told = [story.explain("C-1"), story.explain("C-1")]
    assert told[0] == told[1]
    assert "times on the customer's clock: Europe/Berlin" in told[0]
    assert "t7 of contract K-1 by email: sent" in told[0]
    assert "paid" in told[0].partition("What happened")[2]
    after = told[0].partition("What comes next")[2]
    assert "2026-02-17 09:00" in after  # t7 of K-2, local time
    assert "2026-02-17 08:00" in after  # the same in UTC
    assert all("will not be sent" in line for line in after.splitlines() if "K-1" in line)
    assert story.mails() == [("K-1", "t7")]


def test_explain_knows_when_it_knows_nobody(story: Story) -> None:
    assert "nothing is known of this customer" in story.explain("C-nobody")


def test_upcoming_counts_by_day_and_channel_and_a_payment_takes_its_touches_away(story: Story) -> None:
    story.publish(
        customer("C-1"), contract("C-1", "K-1", "2026-02-20"), customer("C-2"), contract("C-2", "K-2", "2026-02-20")
    )
    story.pass_time("2026-02-02T06:00:00Z")
    before = story.system.verb("upcoming", "--days", "30")
    assert rows_of(before)["2026-02-13"] == ["email", "2", "0"]
    story.publish(payment("C-1", "K-1"))
    story.pass_time("2026-02-02T07:00:00Z")
    story.kill_worker()
    for _ in range(2):
        assert rows_of(story.system.verb("upcoming", "--days", "30"))["2026-02-13"] == ["email", "1", "1"]


def rows_of(table: str) -> dict[str, list[str]]:
    """The rows of a printed table by their first cell."""
    rows = (
        [cell.strip() for cell in line.strip("│").split("│")] for line in table.splitlines() if line.startswith("│")
    )
    return {row[0]: row[1:] for row in rows}
