"""Redis may be flushed at any time: nothing goes out twice, nobody is taken for a customer without contact (F15)."""

from redis import Redis

from schemas.vocabulary import Outcome
from tests.delivering.stage import Stage, until

MANY = [f"c{number:03}" for number in range(300)]


def test_a_flush_in_the_middle_sends_nothing_twice_and_misses_nobody(stage: Stage) -> None:
    stage.know(MANY)
    stage.contacts()
    port = stage.simulator("--fault", "slow=1.0:20")
    with stage.heart():
        stage.channel(port, PERENNIAL_IN_FLIGHT="8")
        commands = stage.order(MANY)
        until(lambda: len(stage.received()) >= 50, 60, "50 mails")
        redis = Redis.from_url(stage.redis_url)
        redis.delete(*redis.keys(f"{stage.prefix}*"))
        until(lambda: len(stage.receipts()) >= len(MANY), 60, "a receipt for every command")
    assert stage.times_received() == {command.touch_key: 1 for command in commands}
    assert {receipt.outcome for receipt in stage.receipts()} == {Outcome.ACCEPTED}


def test_without_a_contacts_process_commands_wait(stage: Stage) -> None:
    stage.know(["c1"])
    port = stage.simulator()
    with stage.heart():
        owner = stage.channel(port)
        until(lambda: "partition_opened" in owner.said(), 30, "the partitions")
        stage.order(["c1"])
        stage.contacts()
        until(lambda: len(stage.receipts()) == 1, 30, "the receipt")
    assert stage.receipts()[0].outcome is Outcome.ACCEPTED
