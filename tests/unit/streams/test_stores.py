"""Stores: memory and disk keep one contract; locked ones are passed by, damaged ones discarded, never served."""

from pathlib import Path

import pytest

from schemas.errors import ExitError
from streams.memory import MemoryRows
from streams.store import DAMAGED_MARK, DiskRows, shared_cache
from streams.stores import DiskStores
from tests.contract.rows_suite import RowsContract


class TestMemoryRows(RowsContract):
    """The suite, in memory."""

    @pytest.fixture
    def rows(self) -> MemoryRows:
        return MemoryRows()


class TestDiskRows(RowsContract):
    """The suite, on disk."""

    @pytest.fixture
    def rows(self, tmp_path: Path) -> DiskRows:
        return DiskRows(tmp_path / "rows", shared_cache())


def test_rows_outlive_a_close(tmp_path: Path) -> None:
    stores = DiskStores(tmp_path, "app")
    rows = stores.open(3)
    rows.write({b"a": b"1"})
    rows.close()
    assert stores.open(3).get(b"a") == b"1"


def test_a_locked_store_is_passed_by(tmp_path: Path) -> None:
    stores = DiskStores(tmp_path, "app")
    held = stores.open(3)
    held.write({b"a": b"1"})
    assert stores.open(3).get(b"a") is None


def test_a_discarded_store_begins_empty(tmp_path: Path) -> None:
    stores = DiskStores(tmp_path, "app")
    rows = stores.open(3)
    rows.write({b"a": b"1"})
    assert stores.discard(3, rows).get(b"a") is None


def test_a_damaged_table_is_a_named_exit_and_the_next_opening_begins_anew(tmp_path: Path) -> None:
    stores = DiskStores(tmp_path, "app")
    rows = stores.open(0)
    rows.write({b"%06d" % number: b"x" * 100 for number in range(5_000)})
    rows.close()
    for table in tmp_path.rglob("*.sst"):
        data = bytearray(table.read_bytes())
        data[100 : len(data) // 2] = bytes(len(data) // 2 - 100)
        table.write_bytes(data)
    damaged = stores.open(0)
    with pytest.raises(ExitError, match="store_unusable"):
        list(damaged.scan(b"", b""))
    damaged.close()
    assert list(tmp_path.rglob(DAMAGED_MARK))
    assert list(stores.open(0).scan(b"", b"")) == []


def test_what_rocksdb_writes_about_itself_is_bounded(tmp_path: Path) -> None:
    DiskRows(tmp_path / "rows", shared_cache()).close()
    (options,) = (tmp_path / "rows").glob("OPTIONS-*")
    told = dict(line.strip().split("=", 1) for line in options.read_text("utf-8").splitlines() if "=" in line)
    assert 0 < int(told["max_log_file_size"]) <= 16 * 1024 * 1024
    assert 0 < int(told["max_manifest_file_size"]) <= 16 * 1024 * 1024


def test_f11_a_damaged_store_is_discarded_whatever_its_path_is_called(tmp_path: Path) -> None:
    stores = DiskStores(tmp_path / "block" / "lock", "app")
    rows = stores.open(0)
    rows.write({b"a": b"1"})
    rows.close()
    for one in tmp_path.rglob("MANIFEST-*"):
        one.unlink()
    opened = stores.open(0)
    assert isinstance(opened, DiskRows)
    assert opened.path.name == "0.0"
    assert opened.get(b"a") is None


def test_f11_a_damaged_store_that_somebody_holds_is_left_to_him(tmp_path: Path) -> None:
    stores = DiskStores(tmp_path, "app")
    held = stores.open(0)
    assert isinstance(held, DiskRows)
    held.path.joinpath(DAMAGED_MARK).touch()
    opened = stores.open(0)
    assert isinstance(opened, DiskRows)
    assert opened.path.name == "0.1"
    assert held.path.joinpath(DAMAGED_MARK).exists()
