"""What else befalls a running system: time that passes beside the test, a channel that is away, a lost store."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import Future

from connectors.queries.topic_records import records_of_customer
from schemas.transport.deadline import Deadline
from schemas.transport.records import Record
from tests.e2e.story import PARTITIONS, Story

CHANNEL = "channel-email"
WITHIN_MS = 30_000


def passing_time(story: Story, until: str) -> "Future[str]":
    """Let domain time pass while the test does other things; the result comes when the last instant is done with."""
    began, story.now = story.now, until
    return story.beside("clock", "--virtual", "--from", began, "--until", until)


def kill_channel(story: Story) -> None:
    """End the e-mail channel with kill -9."""
    victim = story.system.fleet.members[CHANNEL]
    victim.kill()
    assert victim.end() == -9


def start_channel(story: Story) -> None:
    """Start the e-mail channel."""
    story.system.fleet.perennial(CHANNEL, "channel", "email")


def lose_store(story: Story) -> None:
    """End the worker with kill -9, delete its local store, and start its successor."""
    victim, store = story.system.fleet.members["worker-1"], story.system.fleet.den.folder / "worker-1"
    awaited(lambda: any(part.suffix == ".log" for part in store.rglob("*")), "a store to lose")
    victim.kill()
    assert victim.end() == -9
    shutil.rmtree(store)
    story.system.start_worker(1)


def calls(story: Story, recipient: str) -> list[str]:
    """What the provider did with every mail it was ever offered for a recipient; `none` stands for no fault."""
    if not story.system.inbox.exists():
        return []
    rows = (json.loads(line) for line in story.system.inbox.read_text(encoding="utf-8").splitlines())
    return [row["fault"] for row in rows if row.get("recipient") == recipient]


def records(story: Story, topic: str, customer_id: str) -> list[Record]:
    """A customer's committed records in a topic, in order."""
    return list(records_of_customer(story.system.kafka(), topic, PARTITIONS, customer_id))


def awaited(is_so: Callable[[], bool], what: str) -> None:
    """Look until it is so; fails after a deadline and says what was waited for."""
    deadline = Deadline(WITHIN_MS)
    while not is_so():
        assert not deadline.has_passed(), f"waited {WITHIN_MS} ms in vain for {what}"
        deadline.pause()


def await_story(story: Story, customer_id: str, words: str) -> None:
    """Wait until `explain` says this of a customer."""
    awaited(lambda: words in story.explain(customer_id), f"explain {customer_id} to say {words!r}")


def request(customer_id: str, kind: str, **fields: object) -> dict[str, object]:
    """A wish of a customer, such as `opted_out` or `erasure`."""
    born: dict[str, object] = {"type": "request", "customer_id": customer_id, "kind": kind}
    return born | {"occurred_at": "2026-02-02T06:00:00Z"} | fields
