"""A world as files, the way a person would get them: JSON Lines with broken lines, a CSV, and what happens later."""

import csv
import json
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

from deploy.demo.plan import Fields, PlannedRow, Poison, World, iso

SCHEDULE = "later.jsonl"
CONTACTS = "contacts.jsonl"


def write_world(world: World, folder: Path) -> tuple[Path, ...]:
    """Write the files to publish at the start, and beside them `later.jsonl` for the clock; returns the former."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / name for name in world.files)
    for path in paths:
        rows = world.files[path.name]
        if path.suffix == ".csv":
            _write_csv(path, rows)
        else:
            write_lines(path, rows, spoilt=world.spoilt_lines)
    write_lines(folder / SCHEDULE, (_planned(one) for one in world.schedule))
    return paths


def write_lines(path: Path, rows: Iterable[Fields], spoilt: Iterable[str] = ()) -> None:
    """Write JSON Lines; `spoilt` lines stand at the end, as the last rows of a broken export do."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.writelines(line + "\n" for line in spoilt)


def _write_csv(path: Path, rows: tuple[Fields, ...]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # as spreadsheets save it
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def _planned(one: PlannedRow | Poison) -> Fields:
    if isinstance(one, PlannedRow):
        return {"at": iso(one.at_ms), "record": one.fields}
    raw = b64encode(one.value).decode()
    return {"at": iso(one.at_ms), "topic": one.topic, "customer_id": one.customer_id, "base64": raw}
