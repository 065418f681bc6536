"""Where the local stores lie; one that is locked is passed by, one that is damaged or foreign is discarded."""

import contextlib
import shutil
from pathlib import Path
from typing import Protocol

from schemas.errors import ExitCode, ExitError
from streams.memory import MemoryRows
from streams.store import DAMAGED_MARK, DiskRows, Rows, shared_cache

_SLOTS = 8  # a paused predecessor on this host may still lock its store; a store is a cache, so we take another
_LOCKED = ("lock hold by current process", "While lock file")  # RocksDB's own words; a path may hold any others


class Stores(Protocol):
    """Opens and discards the stores of a worker."""

    def open(self, partition: int) -> Rows:
        """Open what there is, or an empty one."""
        ...

    def discard(self, partition: int, rows: Rows) -> Rows:
        """Throw a store away and open an empty one in its place."""
        ...


class DiskStores:
    """Stores in folders `<root>/<application>/<partition>.<slot>`."""

    def __init__(self, root: Path, application: str) -> None:
        self._folder = root / application
        self._folder.mkdir(parents=True, exist_ok=True)
        self._cache = shared_cache()

    def open(self, partition: int) -> Rows:
        """Open the first store of a partition that nobody holds; one that does not open is discarded."""
        for slot in range(_SLOTS):
            rows = self._try(self._folder / f"{partition}.{slot}")
            if rows is not None:
                return rows
        raise ExitError(
            ExitCode.STORE_UNUSABLE,
            f"all {_SLOTS} stores of partition {partition} under {self._folder} are locked by other processes; "
            "end them, or give this worker a PERENNIAL_STATE_DIR of its own",
        )

    def discard(self, partition: int, rows: Rows) -> Rows:
        """Delete the store's folder and open it again, empty."""
        rows.close()
        if isinstance(rows, DiskRows):
            shutil.rmtree(rows.path, ignore_errors=True)
        return self.open(partition)

    def _try(self, path: Path) -> Rows | None:
        is_damaged = path.joinpath(DAMAGED_MARK).exists()
        try:
            rows = DiskRows(path, self._cache)
        except Exception as error:  # noqa: BLE001  the library raises plain exceptions; only their text tells a lock
            if any(said in str(error) for said in _LOCKED):
                return None
        else:
            if not is_damaged:
                return rows
            with contextlib.suppress(Exception):  # whatever else is wrong with it goes with it
                rows.close()
        shutil.rmtree(path, ignore_errors=True)  # damaged, or it does not even open: the changelog has it all
        return self._fresh(path)

    def _fresh(self, path: Path) -> Rows:
        try:
            return DiskRows(path, self._cache)
        except Exception as error:
            said = f"no store can be opened at {path}: {error}; check space and rights"
            raise ExitError(ExitCode.STORE_UNUSABLE, said) from error


class MemoryStores:
    """Stores that outlive a restart of the engine but not of the process."""

    def __init__(self) -> None:
        self.rows: dict[int, MemoryRows] = {}

    def open(self, partition: int) -> Rows:
        """Give the store of a partition."""
        return self.rows.setdefault(partition, MemoryRows())

    def discard(self, partition: int, rows: Rows) -> Rows:
        """Begin anew."""
        rows.close()
        self.rows[partition] = MemoryRows()
        return self.rows[partition]
