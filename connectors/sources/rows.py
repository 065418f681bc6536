"""Files as people hand them over: JSON Lines or CSV, read row by row with line numbers, encodings named, never guessed.

Sizes do not matter: a file is streamed. A row that cannot be read is a value like any other, so that one bad line
never hides the thousand behind it.
"""

import codecs
import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from schemas.errors import PerennialError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOK_BYTES = 1 << 20
_GUESSES = ("gb18030", "cp1252")
_OTHER_MARKS = (";", "\t", "|")  # spreadsheets of many countries write the first
_CSV_FIELD_BYTES = 1 << 20


class UnreadableFile(PerennialError):
    """A file cannot be read as text, or has no rows that we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record as written, not yet judged: a JSON line, or the cells of a CSV row by column.

    `line` is where it starts, counted from 1; `text` is what a person finds there.
    """

    line: int
    text: str
    cells: Mapping[str | None, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that is no record of ours, and why."""

    line: int
    problem: str
    text: str


def read_rows(path: Path, encoding: str = "") -> Iterator[Row | BadRow]:
    """Stream the rows of a JSON Lines or CSV file; the ending decides (`.csv`), else the first character.

    Args:
        path: the file.
        encoding: a Python codec name; empty = by byte order mark, else UTF-8.

    Raises:
        UnreadableFile: not there, empty, or in another encoding; the message names the line and the likely encoding.
    """
    try:
        with path.open(encoding=encoding or encoding_of(path), newline="") as text:
            yield from _csv_rows(text) if _is_csv(path, text) else _json_rows(text)
    except UnicodeDecodeError as error:
        raise UnreadableFile(_wrong_encoding(path, error)) from None
    except LookupError:
        raise UnreadableFile(f"{path}: Python knows no encoding {encoding!r}; try utf-8, gb18030 or utf-16") from None
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}; name a JSON Lines or CSV file") from None


def encoding_of(path: Path) -> str:
    """The encoding that a byte order mark names, else UTF-8."""
    with path.open("rb") as raw:
        head = raw.read(4)
    return next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")


def _is_csv(path: Path, text: TextIO) -> bool:
    first = text.read(1)
    while first.isspace():
        first = text.read(1)
    text.seek(0)
    if not first:
        raise UnreadableFile(f"{path}: the file is empty")
    return path.suffix.lower() == ".csv" or (path.suffix.lower() not in {".jsonl", ".json", ".ndjson"} and first != "{")


def _json_rows(text: TextIO) -> Iterator[Row | BadRow]:
    for line, written in enumerate(text, start=1):
        if written.strip():
            yield Row(line=line, text=written.strip("\r\n"))


def _csv_rows(text: TextIO) -> Iterator[Row | BadRow]:
    csv.field_size_limit(_CSV_FIELD_BYTES)
    reader = csv.reader(text, strict=True)
    names: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line=line, problem=f"not CSV: {error}", text="")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if names:
            yield _cell_row(line, names, cells)
        else:
            names = _names(cells)


def _names(header: list[str]) -> list[str]:
    names = [cell.strip() for cell in header]
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        raise UnreadableFile(f"the header names the column {twice} twice: which of the two counts?")
    if len(names) == 1 and (mark := next((mark for mark in _OTHER_MARKS if mark in names[0]), "")):
        told = "tabs" if mark == "\t" else f"{mark!r}"
        raise UnreadableFile(f"the header separates its columns by {told}: separate them by commas")
    return names


def _cell_row(line: int, names: list[str], cells: list[str]) -> Row | BadRow:
    named: dict[str | None, object] = dict(zip(names, cells, strict=False))
    written = json.dumps(named, ensure_ascii=False)
    if len(cells) > len(names):
        problem = f"{len(cells)} cells under {len(names)} column names; is a comma not in quotes?"
        return BadRow(line=line, problem=problem, text=written)
    return Row(line=line, text=written, cells=named)


def _wrong_encoding(path: Path, error: UnicodeDecodeError) -> str:
    with path.open("rb") as raw:
        head = raw.read(_LOOK_BYTES)
    line, sample = _first_bad_line(head, error.encoding)
    guess = next((name for name in _GUESSES if _decodes(sample, name)), "")
    advice = f" it looks like {guess}: give --encoding {guess}, or" if guess else ""
    where = f"line {line}" if line else "a line"
    return f"{path}: {where} is not {error.encoding};{advice} save the file as UTF-8"


def _first_bad_line(head: bytes, encoding: str) -> tuple[int, bytes]:
    for line, written in enumerate(head.split(b"\n"), start=1):
        if not _decodes(written, encoding):
            return line, written
    return 0, head


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
