"""Files as people save them: each row readable or named as bad with its line, each encoding told, none guessed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.sources.rows import BadRow, Row, UnreadableFile, read_rows

NASTY = 'A&B "quoted" 公司 🐉 שלום'


def saved(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = saved(tmp_path, "events.jsonl", '{"type": "customer"}\n\nnot json\n[1]\n{"type": "payment"}\n')
    assert [row.line for row in read_rows(path)] == [1, 3, 4, 5]


def cells_of(row: Row | BadRow) -> Mapping[str | None, object]:
    assert isinstance(row, Row)
    assert row.cells is not None
    return row.cells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_believed(tmp_path: Path, encoding: str) -> None:
    path = saved(tmp_path, "events.jsonl", f'{{"name": "{NASTY}"}}\n', encoding)
    (row,) = read_rows(path)
    assert row.text == f'{{"name": "{NASTY}"}}'


def test_chinese_of_an_old_spreadsheet_is_named_not_guessed(tmp_path: Path) -> None:
    path = saved(tmp_path, "events.csv", "type,name\ncustomer,ACME\ncustomer,北京公司\n", "gbk")
    with pytest.raises(UnreadableFile, match=r"line 3 is not utf-8; it looks like gb18030: give --encoding gb18030"):
        list(read_rows(path))
    rows = list(read_rows(path, "gb18030"))
    assert [cells_of(row)["name"] for row in rows] == ["ACME", "北京公司"]


def test_a_csv_row_is_its_cells_by_column(tmp_path: Path) -> None:
    path = saved(tmp_path, "c.csv", 'customer_id,contact.name,zone\nC-1,"A, B",\n')
    (row,) = read_rows(path)
    assert cells_of(row) == {"customer_id": "C-1", "contact.name": "A, B", "zone": ""}


def test_a_csv_row_is_named_by_the_line_it_starts_on(tmp_path: Path) -> None:
    path = saved(tmp_path, "c.csv", 'a,b\n"two\nlines",1\nx,1,extra\n')
    rows = list(read_rows(path))
    assert [(row.line, type(row)) for row in rows] == [(2, Row), (4, BadRow)]


def test_a_comma_without_quotes_is_told(tmp_path: Path) -> None:
    (row,) = read_rows(saved(tmp_path, "c.csv", "a,b\n1,2,3\n"))
    assert isinstance(row, BadRow)
    assert "is a comma not in quotes?" in row.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "the file is empty"), (b"  \n", "the file is empty"), (b'{"a": "\xff\xff\xff"}', "save the file as UTF-8")],
)
def test_an_unreadable_file_says_so(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(UnreadableFile, match=problem):
        list(read_rows(saved(tmp_path, "events.jsonl", content)))


def test_a_missing_file_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        list(read_rows(tmp_path / "nowhere.jsonl"))


def test_a_column_named_twice_is_no_riddle_for_us(tmp_path: Path) -> None:
    path = saved(tmp_path, "twice.csv", "type,customer_id,customer_id\ncustomer,C-1,C-2\n")
    with pytest.raises(UnreadableFile, match="customer_id twice"):
        list(read_rows(path))


@pytest.mark.parametrize(("mark", "told"), [(";", "';'"), ("\t", "tabs")])
def test_a_csv_with_other_separators_says_so(tmp_path: Path, mark: str, told: str) -> None:
    path = saved(tmp_path, "other.csv", mark.join(["type", "customer_id"]) + "\n")
    with pytest.raises(UnreadableFile, match=f"by {told}: separate them by commas"):
        list(read_rows(path))
