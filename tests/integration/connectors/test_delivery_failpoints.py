"""The owner killed at each point of a cycle (F16): what the next owner calls again, and what it does not."""

import pytest

from schemas.vocabulary import LedgerStage, Outcome
from tests.delivering.stage import Stage, until

W = 4
FEW = [f"c{number:02}" for number in range(12)]
KILLED = -9
QUICK = {
    "PERENNIAL_IN_FLIGHT": str(W),
    "PERENNIAL_TRANSACTION_TIMEOUT_MS": "2000",
    "PERENNIAL_SESSION_TIMEOUT_MS": "2000",
}
NEVER_CALLED = ("delivery.before_intents", "delivery.after_intents", "delivery.before_call")
CALLED = (
    "delivery.during_call",
    "delivery.after_accept_before_result",
    "delivery.after_result_begun",
    "delivery.after_result_commit",
)


@pytest.mark.parametrize("point", [*NEVER_CALLED, *CALLED])
def test_an_owner_killed_at_any_point_loses_nothing(stage: Stage, point: str) -> None:
    stage.know(FEW)
    stage.contacts()
    port = stage.simulator()
    with stage.heart():
        victim = stage.channel(port, **QUICK, PERENNIAL_FAILPOINTS=f"{point}=kill")
        commands = stage.order(FEW)
        assert victim.ended(60) == KILLED, victim.said()
        stage.channel(port, **QUICK)
        until(lambda: len(stage.receipts()) >= len(FEW), 60, "a receipt for every command")
    times = stage.times_received()
    surplus = {key for key, count in times.items() if count > 1}
    assert times.keys() == {command.touch_key for command in commands}
    assert {receipt.outcome for receipt in stage.receipts()} == {Outcome.ACCEPTED}
    assert len(stage.receipts()) == len(FEW)
    assert len(surplus) <= (0 if point in NEVER_CALLED else W)
    results = [row.touch_key for row in stage.ledger() if row.stage is LedgerStage.RESULT]
    assert len(results) == len(set(results))
