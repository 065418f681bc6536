"""A provider's inbox: an append-only file of JSON lines, written and flushed before the provider answers."""

import json
import threading
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self


class Inbox:
    """What was received and what was answered; rows carry a number that grows within the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._numbers = count(_rows_in(path))
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def received(self, row: Mapping[str, object]) -> int:
        """Keep a call; returns its number once the row is out of our hands."""
        with self._lock:
            seq = next(self._numbers)
            self._write({"line": "received", "seq": seq, "received_ms": now_ms(), **row})
        return seq

    def answered(self, seq: int, code: int) -> None:
        """Keep what was answered to a call; 0 stands for no answer."""
        with self._lock:
            self._write({"line": "answered", "seq": seq, "code": code, "at_ms": now_ms()})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _write(self, row: Mapping[str, object]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._file.flush()


def now_ms() -> int:
    """The provider's own clock."""
    return time.time_ns() // 1_000_000


def _rows_in(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)
