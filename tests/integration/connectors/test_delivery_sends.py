"""Commands become mails and receipts, on real Kafka, Redis and SMTP."""

from schemas.vocabulary import Outcome
from tests.delivering.stage import Stage, until

MANY = [f"c{number:03}" for number in range(200)]


def test_every_command_becomes_one_mail_and_one_receipt(stage: Stage) -> None:
    stage.know(MANY)
    stage.contacts()
    port = stage.simulator()
    stage.channel(port)
    with stage.heart():
        commands = stage.order(MANY)
        until(lambda: len(stage.receipts()) >= len(MANY), 60, "a receipt for every command")
    assert stage.times_received() == {command.touch_key: 1 for command in commands}
    assert {receipt.outcome for receipt in stage.receipts()} == {Outcome.ACCEPTED}
    assert stage.in_doubt() == set()
