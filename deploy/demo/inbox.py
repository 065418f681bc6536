"""The provider's inbox as a judge reads it: mails that the provider acted on."""

import json
from collections.abc import Iterator
from pathlib import Path

from deploy.demo.account import Mail
from schemas.identity import TouchKey


def accepted_mails(path: Path) -> tuple[Mail, ...]:
    """Every mail that the provider accepted, in order of arrival; none when the file is not there yet."""
    return tuple(
        Mail(
            key=TouchKey(str(row["key"])),
            attempt=int(str(row["attempt"])),
            received_ms=int(str(row["received_ms"])),
            recipient=str(row["recipient"]),
            subject=str(row["subject"]),
            text=str(row["text"]),
        )
        for row in _rows(path)
        if row["line"] == "received" and row["acted"]
    )


def _rows(path: Path) -> Iterator[dict[str, object]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.endswith("\n"))
