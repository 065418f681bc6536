"""Inputs that arrive while a virtual clock runs: a file of rows, each with its instant, published before its tick."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.sources.ingest import Ingestion, outgoing_of
from connectors.sources.publisher import Outgoing, Outlet
from connectors.sources.rows import Row, UnreadableFile
from schemas.errors import PerennialError
from schemas.spelling import spelled_instant


class ClockStoodStill(PerennialError):
    """A virtual clock waits for a partition that does not move, or for a command without a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Records that become visible together, at or before an instant."""

    at_ms: int
    records: tuple[Outgoing, ...]


class Schedule:
    """What a virtual clock asks: when the next input is due, and to publish what is."""

    def __init__(self, dues: Iterable[Due], outlet: Outlet) -> None:
        """Take the inputs in any order, and where they go."""
        self._dues = sorted(dues, key=lambda due: due.at_ms)
        self._outlet = outlet
        self._next = 0

    def next_at_ms(self) -> int | None:
        """The instant of the next input, None when all are published."""
        return self._dues[self._next].at_ms if self._next < len(self._dues) else None

    def publish_until(self, now_ms: int) -> None:
        """Publish every input due at or before `now_ms`, in order; returns when they are in their topics."""
        first = self._next
        while self._next < len(self._dues) and self._dues[self._next].at_ms <= now_ms:
            self._next += 1
        records = [record for due in self._dues[first : self._next] for record in due.records]
        if records:
            self._outlet.publish(records)


def read_schedule(path: Path, ingestion: Ingestion) -> Iterator[Due]:
    """Read a file of JSON lines: {"at": instant, "record": row}, or raw bytes under a customer's key.

    Raises:
        UnreadableFile: a line is no scheduled input; the message names it.
    """
    with path.open(encoding="utf-8") as file:
        for line, text in enumerate(file, start=1):
            try:
                yield _due(line, json.loads(text), ingestion)
            except (PerennialError, ValueError, KeyError) as problem:
                raise UnreadableFile(f"{path}, line {line}: {problem}; write {_FORM}") from None


_FORM = '{"at": "2026-02-03T06:00:00Z", "record": {"type": "payment", ...}}'


def _due(line: int, planned: dict[str, str], ingestion: Ingestion) -> Due:
    at_ms = spelled_instant(planned["at"])
    if "base64" in planned:
        raw = Outgoing(topic=planned["topic"], key=planned["customer_id"].encode(), value=b64decode(planned["base64"]))
        return Due(at_ms=at_ms, records=(raw,))
    row = Row(line=line, text=json.dumps(planned["record"], ensure_ascii=False))
    return Due(at_ms=at_ms, records=outgoing_of(row, ingestion))
