"""Payments, opt-outs, erasures and holds reach the channel, also while a command is out: nothing leaves after."""

from schemas import topics
from schemas.vocabulary import Channel
from tests.e2e.story import CHANNEL, Story, awaited, contract, customer, payment, request

COMMAND = topics.command_topic(Channel.EMAIL)
EVERYBODY = ("C-paid", "C-out", "C-erased", "C-held", "C-fine")


def test_what_forbids_a_touch_stops_its_command_at_the_channel(story: Story) -> None:
    story.publish(*(row for name in EVERYBODY for row in (customer(name), contract(name, f"K-{name}", "2026-02-10"))))
    story.kill(CHANNEL)
    clock = story.passing_time("2026-02-03T10:00:00Z")  # t7 opens at 08:00, nobody takes its commands
    awaited(lambda: all(story.records(COMMAND, name) for name in EVERYBODY), "five commands")

    wishes = (payment("C-paid", "K-C-paid"), request("C-out", "opted_out"), request("C-erased", "erasure"))
    story.publish(*wishes)
    story.publish_raw(topics.PAYMENT, "C-held", b"nobody can read this")
    story.kill_worker()
    story.publish(*wishes)
    story.await_explained("C-held", "quarantined")
    story.await_explained("C-erased", "erased")
    story.await_explained("C-out", "unsubscribed from every channel")
    story.await_explained("C-paid", "renewal paid")
    story.start_channel()
    clock.result()

    assert story.mails() == [("K-C-fine", "t7")]
    assert [story.calls(name) for name in EVERYBODY] == [[], [], [], [], ["none"]]
    assert "t7 of contract K-C-paid by email: not sent, because the renewal was already paid" in story.explain("C-paid")
    assert "t7 of contract K-C-out by email: not sent, because the customer has unsubscribed" in story.explain("C-out")
    assert "held back, because a record of this customer could not be applied" in story.explain("C-held")
    mended = story.file(payment("C-held", "K-C-held"))
    story.system.verb("quarantine", "release", "C-held", "--replace", str(mended))
    story.pass_time("2026-02-10T20:00:00Z")
    assert story.mails() == [("K-C-fine", "t7"), ("K-C-fine", "t3"), ("K-C-fine", "t0")]


def test_an_opt_out_and_an_erasure_silence_what_was_to_come(story: Story) -> None:
    story.publish(*(row for name in ("C-1", "C-2") for row in (customer(name), contract(name, name, "2026-02-10"))))
    story.pass_time("2026-02-03T10:00:00Z")
    assert sorted(story.mails()) == [("C-1", "t7"), ("C-2", "t7")]

    story.publish(request("C-1", "opted_out", channel="email"), request("C-2", "erasure"))
    story.kill_worker()
    story.publish(request("C-1", "opted_out", channel="email"), request("C-2", "erasure"))
    story.pass_time("2026-02-10T20:00:00Z")
    assert sorted(story.mails()) == [("C-1", "t7"), ("C-2", "t7")]
    opted_out, erased = story.explain("C-1"), story.explain("C-2")
    assert "unsubscribed from email" in opted_out
    assert "t0 of contract C-1 by email: not sent, because the customer has unsubscribed" in opted_out
    assert "erased: only this mark is left" in erased
    assert "t0 of contract C-2 by email: not sent, because the customer asked to be erased" in erased
    assert story.records(topics.CONTACT_KEY, "C-2")[-1].value is None
