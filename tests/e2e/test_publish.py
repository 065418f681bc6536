"""`perennial publish`: bad lines go to a rejects file, mended ones follow, and whoever is known hears once."""

import json
from pathlib import Path

import pytest

from deploy.demo.system import VerbFailed
from tests.e2e.story import Story, contract, customer

GOOD = (customer("C-1"), contract("C-1", "K-1", "2026-02-10"), customer("C-2"))
BAD = (
    contract("C-2", "K-2", "10.02.2026"),
    contract("C-2", "K-3", "2026-02-10", colour="red"),
    contract("", "K-4", "2026-02-10"),
    contract("C-2", "K-5", "2024-01-01"),
)


def test_mended_rejects_reach_whom_the_bad_lines_left_out(story: Story) -> None:
    rows = story.file(*GOOD, *BAD)
    with pytest.raises(VerbFailed):
        story.system.verb("publish", str(rows))
    told = story.system.verb("publish", str(rows), is_ok=False)
    rejects = [json.loads(line) for line in rejects_of(rows).read_text(encoding="utf-8").splitlines()]
    assert [row["line"] for row in rejects] == [4, 5, 6, 7]
    assert [json.loads(row["row"]) for row in rejects] == list(BAD)
    for line, cause in ((4, "expires_on"), (5, "no such field"), (6, "empty"), (7, "lies before starts_on")):
        assert cause in rejects[line - 4]["problem"]
        assert f"line {line}: {rejects[line - 4]['problem'][:60]}" in told
    story.pass_time("2026-02-02T20:00:00Z")
    assert "K-2" not in story.explain("C-2")

    mended = story.file(*GOOD, contract("C-2", "K-2", "2026-02-10"))
    for _ in range(2):
        assert rejected_in(story.system.verb("publish", str(mended))) == "0"
        story.kill_worker()
    assert not rejects_of(mended).exists()
    story.pass_time("2026-02-03T10:00:00Z")
    assert sorted(story.mails()) == [("K-1", "t7"), ("K-2", "t7")]
    assert story.explain("C-2").count("t7 of contract K-2 by email: sent") == 1


def test_a_csv_of_a_spreadsheet_is_published_under_its_encoding(story: Story) -> None:
    columns = "customer_id,version,occurred_at,zone,contact.name,contact.email\n"
    file = story.system.plan.folder / "customers.csv"
    file.write_bytes(
        (columns + "C-1,1,2026-02-02T00:00:00Z,Asia/Shanghai,株式会社,c-1@mail.example\n").encode("gb18030")
    )
    with pytest.raises(VerbFailed, match="gb18030"):
        story.system.verb("publish", str(file), "--type", "customer")
    for _ in range(2):
        story.system.verb("publish", str(file), "--type", "customer", "--encoding", "gb18030")
    story.publish(contract("C-1", "K-1", "2026-02-10"))
    story.pass_time("2026-02-03T01:30:00Z")  # 09:30 in Shanghai
    assert story.mails() == [("K-1", "t7")]
    assert "2026-02-03 09:00" in story.explain("C-1")


def rejects_of(file: Path) -> Path:
    """Where the rejected rows of a file go."""
    return file.with_name(file.name + ".rejects.jsonl")


def rejected_in(printed: str) -> str:
    """The count of rejected rows in the table that `publish` prints."""
    row = next(line for line in printed.splitlines() if "rejected rows" in line)
    return row.strip("│").split("│")[1].strip()
