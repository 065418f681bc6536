"""What stands beside a published file: the rejected rows, or nothing."""

import json
from pathlib import Path

from connectors.sources.rows import BadRow
from deploy.publishing import Rejects


def test_rejected_rows_stand_beside_the_file_with_line_and_cause(tmp_path: Path) -> None:
    rejects = Rejects(tmp_path / "contracts.csv")
    rejects.add(BadRow(line=7, problem="expires_on: missing", text='{"customer_id": "C-1"}'))
    rejects.write()
    (row,) = (tmp_path / "contracts.csv.rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(row) == {"line": 7, "problem": "expires_on: missing", "row": '{"customer_id": "C-1"}'}


def test_a_clean_run_removes_what_an_earlier_one_left(tmp_path: Path) -> None:
    stale = tmp_path / "contracts.csv.rejects.jsonl"
    stale.write_text("old", encoding="utf-8")
    Rejects(tmp_path / "contracts.csv").write()
    assert not stale.exists()
