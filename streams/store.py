"""The local store of one co-partition: a cache of its changelog that never holds uncommitted data (I4).

Rows are those of `schemas.changelog`, and three kinds that never leave the disk: the alarm index
`a|<8-byte due_at_ms><customer>` (I5), the owner tag and the changelog position. A store that cannot be trusted is
discarded by whoever opens it and rebuilt from the changelog.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec
from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteBatch, WriteOptions

from schemas.errors import ExitCode, ExitError

ALARM_PREFIX = b"a|"
OWNER_ROW = b"o"
POSITION_ROW = b"p"
DAMAGED_MARK = "DAMAGED"
_DUE_BYTES = 8
_MEMTABLE_BYTES = 8 * 1024 * 1024  # a kill loses at most this much, read again from the changelog
_MEMTABLES = 2
_BLOOM_BITS = 10
_SIZES = ("rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables")
_OPEN_FILES = 128
_LARGEST_LOG_BYTES = 4 * 1024 * 1024
_SHARED_CACHE_BYTES = 64 * 1024 * 1024


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose store this is; anything else than a perfect match is foreign."""

    application: str
    partition: int
    incarnation: str


class Saved(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How far into the changelog the store reaches, and when it last knew."""

    next_offset: int
    at_ms: int


class Rows(Protocol):
    """What the engine needs of a store; the one on disk and the one in memory fit."""

    def get(self, key: bytes) -> bytes | None:
        """Give a row."""
        ...

    def write(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Write and delete (None) rows, all or nothing."""
        ...

    def scan(self, first: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give the rows of a prefix in order of their keys, starting at `first`."""
        ...

    def size_bytes(self) -> int:
        """Tell about how large the store is."""
        ...

    def close(self) -> None:
        """Let go; what was written is there again at the next opening."""
        ...


class DiskRows:
    """Rows in RocksDB, without a log of its own: the changelog is the log, the position is written with the rows."""

    def __init__(self, path: Path, cache: Cache) -> None:
        self.path = path
        self._is_closed = False
        self._db = Rdict(str(path), options=_options(cache))
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[method-assign,assignment]  # the stub takes a setter for a method

    def get(self, key: bytes) -> bytes | None:
        """Give a row."""
        try:
            found: bytes | None = self._db.get(key)
        except Exception as error:
            raise self._damaged(error) from error
        return found

    def write(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Write and delete rows in one batch."""
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in rows.items():
            if value is None:
                delete(key)
            else:
                put(key, value)
        self._db.write(batch, self._unlogged)

    def scan(self, first: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Walk a snapshot, so that rows may be written meanwhile."""
        try:
            yield from self._walk(first, prefix)
        except Exception as error:
            raise self._damaged(error) from error

    def size_bytes(self) -> int:
        """Tell what the tables take, and what is still in memory."""
        if self._is_closed:
            return 0
        return sum(self._db.property_int_value(name) or 0 for name in _SIZES)

    def close(self) -> None:
        """Flush and unlock; a second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._db.close()

    def _walk(self, first: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        rows = self._db.iter()
        rows.seek(first)
        while rows.valid():
            key = rows.key()
            if not key.startswith(prefix):
                break
            yield key, rows.value()
            rows.next()
        rows.status()  # a damaged block ends an iteration silently; this raises

    def _damaged(self, error: Exception) -> ExitError:
        """Mark the store, so that the next opening discards it, and name the exit."""
        self.path.joinpath(DAMAGED_MARK).touch()
        return ExitError(ExitCode.STORE_UNUSABLE, f"the store at {self.path} is damaged and will be rebuilt: {error}")


def alarm_row(due_at_ms: int, customer: bytes) -> bytes:
    """Name an alarm; rows sort by their instant."""
    return ALARM_PREFIX + due_at_ms.to_bytes(_DUE_BYTES, "big") + customer


def alarm_parts(row: bytes) -> tuple[int, bytes]:
    """Split an alarm into its instant and its customer."""
    body = row[len(ALARM_PREFIX) :]
    return int.from_bytes(body[:_DUE_BYTES], "big"), body[_DUE_BYTES:]


def shared_cache() -> Cache:
    """Give the block cache that all stores of a process share."""
    return Cache(_SHARED_CACHE_BYTES)


def _options(cache: Cache) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(_MEMTABLE_BYTES)
    options.set_max_write_buffer_number(_MEMTABLES)
    options.set_max_open_files(_OPEN_FILES)
    options.set_keep_log_file_num(1)
    options.set_max_log_file_size(_LARGEST_LOG_BYTES)  # RocksDB's own diary and catalogue grow without end otherwise
    options.set_max_manifest_file_size(_LARGEST_LOG_BYTES)
    blocks = BlockBasedOptions()
    blocks.set_block_cache(cache)
    blocks.set_bloom_filter(_BLOOM_BITS, block_based=False)
    options.set_block_based_table_factory(blocks)
    return options
