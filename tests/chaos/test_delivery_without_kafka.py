"""Kafka away until a channel ends of it (F05): all mails leave after its return, at most W of them twice an end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.plan import StackPlan
from deploy.local.stack import LocalStack
from tests.delivering.stage import Stage, until

W = 8
BEFORE = [f"b{number:03}" for number in range(150)]
AFTER = [f"a{number:03}" for number in range(50)]
RESTARTS = "worker_restarts"


@pytest.fixture
def fragile() -> Iterator[LocalStack]:
    """A broker of its own, to be killed."""
    with LocalStack(StackPlan(redis=False)) as stack:
        yield stack


@pytest.fixture
def stage(fragile: LocalStack, redis_url: str, prefix: str, tmp_path: Path) -> Iterator[Stage]:
    """Topics and processes on that broker."""
    stage = Stage(bootstrap=fragile.bootstrap_servers, redis_url=redis_url, prefix=f"{prefix}.", folder=tmp_path)
    yield stage
    stage.close()


def test_kafka_away_ends_a_channel_which_then_goes_on_by_itself(fragile: LocalStack, stage: Stage) -> None:
    stage.know([*BEFORE, *AFTER])
    port = stage.simulator("--fault", "slow=1.0:100")
    quick = {
        "PERENNIAL_IN_FLIGHT": str(W),
        "PERENNIAL_SMTP_PORT": str(port),
        "PERENNIAL_TRANSACTION_TIMEOUT_MS": "3000",  # a channel waits no longer than that for an answer
    }
    with stage.supervised("contacts") as contacts, stage.supervised("channel", "email", **quick) as channel:
        with stage.heart():
            commands = stage.order(BEFORE)
            until(lambda: len(stage.received()) >= 20, 60, "20 mails")
        fragile.broker(0).kill()
        until(lambda: RESTARTS in channel.said(), 90, "the end of a channel that cannot commit")
        fragile.broker(0).restart()
        with stage.heart():
            commands += stage.order(AFTER)
            until(lambda: len(stage.receipts()) >= len(commands), 90, "a receipt for every command")
        assert contacts.process.poll() is None
        assert RESTARTS not in contacts.said()
        ends = channel.said().count(RESTARTS)
    assert stage.times_received().keys() == {command.touch_key for command in commands}
    assert len(stage.receipts()) == len(commands)
    assert stage.surplus() <= stage.begun_more_than_once()
    assert len(stage.begun_more_than_once()) <= W * ends
