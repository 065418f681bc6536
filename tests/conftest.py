"""The folder is the marker: tests under integration, e2e, chaos and bench carry the mark of that name."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
MARKED_BY_FOLDER = frozenset({"integration", "e2e", "chaos", "bench"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test after the folder it stands in, so that none is run without what it needs."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        if folder in MARKED_BY_FOLDER:
            item.add_marker(folder)
