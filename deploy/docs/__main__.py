"""Writes the generated documents anew; with `--check` says which are stale and fails (`make docs`, `make check`)."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.docs.asyncapi import asyncapi_document
from deploy.docs.operations import metrics_document, settings_document
from deploy.docs.tables import records_document, topics_document

FOLDER = Path(__file__).parent
DOCUMENTS: dict[str, Callable[[], str]] = {
    "asyncapi.json": asyncapi_document,
    "topics.md": topics_document,
    "records.md": records_document,
    "settings.md": settings_document,
    "metrics.md": metrics_document,
}


def stale_documents(folder: Path = FOLDER) -> tuple[str, ...]:
    """Name the documents that differ from what the code says, or are missing."""
    return tuple(name for name, write in DOCUMENTS.items() if _read(folder / name) != write())


def write_documents(folder: Path = FOLDER) -> None:
    """Write every document anew."""
    for name, write in DOCUMENTS.items():
        folder.joinpath(name).write_text(write(), encoding="utf-8")


def main() -> int:
    """Write the documents, or with `--check` only say which are stale."""
    parser = argparse.ArgumentParser(prog="python -m deploy.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is stale")
    if not parser.parse_args().check:
        write_documents()
        return 0
    stale = stale_documents()
    for name in stale:
        print(f"deploy/docs/{name} is stale: run `make docs` and commit it")
    return 1 if stale else 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
