"""`perennial stop` and `start`: nothing leaves in between, nothing is lost, nothing leaves twice."""

from tests.e2e.story import Story, contract, customer


def test_what_was_stopped_leaves_once_after_the_start(story: Story) -> None:
    story.publish(customer("C-1"), contract("C-1", "K-1", "2026-02-10"))
    story.pass_time("2026-02-02T06:00:00Z")
    story.system.verb("stop", "--channel", "email", "--reason", "a wrong template")
    story.system.verb("stop", "--channel", "email")
    story.pass_time("2026-02-03T10:00:00Z")  # t7 opened at 08:00
    assert story.mails() == []
    story.kill_worker()
    assert "stopped" in story.explain("C-1")
    story.system.verb("start", "--channel", "email")
    story.system.verb("start", "--channel", "email")
    story.pass_time("2026-02-03T12:00:00Z")
    assert story.mails() == [("K-1", "t7")]
    assert "t7 of contract K-1 by email: sent" in story.explain("C-1")


def test_a_stop_of_everything_outlasts_a_start_of_one_channel(story: Story) -> None:
    story.publish(customer("C-1"), contract("C-1", "K-1", "2026-02-10"))
    story.system.verb("stop")
    story.system.verb("start", "--channel", "email")
    story.pass_time("2026-02-03T12:00:00Z")
    assert story.mails() == []
