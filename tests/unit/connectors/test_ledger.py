"""What the ledger knows of an attempt, and when it forgets."""

import pytest

from connectors.ledger import KEPT_AFTER_SEND_BY_MS, Ledger, Standing
from schemas.vocabulary import LedgerStage
from tests.builders import KEY, NOW_MS, a_command, a_ledger_row


@pytest.mark.parametrize(
    ("stage", "noted", "asked", "standing"),
    [
        pytest.param(LedgerStage.INTENT, 1, 1, Standing.IN_DOUBT, id="begun"),
        pytest.param(LedgerStage.RESULT, 1, 1, Standing.TOLD, id="reported"),
        pytest.param(LedgerStage.RESULT, 1, 2, Standing.NEW, id="the next attempt"),
        pytest.param(LedgerStage.INTENT, 1, 2, Standing.NEW, id="the next attempt after one in doubt"),
        pytest.param(LedgerStage.INTENT, 2, 1, Standing.TOLD, id="an attempt of the past"),
    ],
)
def test_a_row_says_how_an_attempt_stands(stage: LedgerStage, noted: int, asked: int, standing: Standing) -> None:
    ledger = Ledger()
    ledger.apply(KEY, a_ledger_row(stage=stage, attempt=noted))
    assert ledger.standing(a_command(attempt=asked)) is standing


def test_an_unknown_touch_is_new() -> None:
    assert Ledger().standing(a_command()) is Standing.NEW


def test_a_tombstone_forgets() -> None:
    ledger = Ledger()
    ledger.apply(KEY, a_ledger_row())
    ledger.apply(KEY, None)
    assert len(ledger) == 0


def test_a_row_is_forgotten_a_week_after_its_last_send_by() -> None:
    ledger = Ledger()
    ledger.apply(KEY, a_ledger_row(send_by_at_ms=NOW_MS))
    ledger.apply(KEY, a_ledger_row(send_by_at_ms=NOW_MS + 10))
    due_ms = NOW_MS + KEPT_AFTER_SEND_BY_MS
    assert list(ledger.forgettable(due_ms + 10, 5)) == []
    assert list(ledger.forgettable(due_ms + 11, 5)) == [KEY]
    assert list(ledger.forgettable(due_ms + 11, 5)) == []


def test_no_more_are_forgotten_at_once_than_asked_for() -> None:
    ledger = Ledger()
    for number in range(5):
        ledger.apply(f"{KEY}{number}", a_ledger_row(send_by_at_ms=NOW_MS))
    later_ms = NOW_MS + 2 * KEPT_AFTER_SEND_BY_MS
    assert [len(list(ledger.forgettable(later_ms, 2))) for _ in range(4)] == [2, 2, 1, 0]
