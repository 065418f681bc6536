"""Restoring a co-partition: open the store, distrust it, and read the changelog from there to its end (I4, I5, I9)."""

from dataclasses import dataclass

import msgspec

from schemas.changelog import (
    META_ROW,
    QUARANTINE_PREFIX,
    STATE_PREFIX,
    MetaRow,
    RowUnreadable,
    decode_meta,
    quarantine_row_parts,
)
from schemas.errors import ExitCode, ExitError
from schemas.failpoints import failpoint
from schemas.topics import DAY_MS, WEEK_MS
from schemas.transport.records import TopicPartition
from streams.brain import Brain
from streams.draft import decoded_state
from streams.log import Clock, Log, Stretch
from streams.metrics import Metrics
from streams.store import OWNER_ROW, POSITION_ROW, Owner, Rows, Saved, alarm_row
from streams.stores import Stores

OLDEST_STORE_MS = WEEK_MS - DAY_MS  # older, and a tombstone it never saw may be gone from the changelog
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A store that equals its changelog."""

    rows: Rows
    meta: MetaRow | None
    next_offset: int
    held: dict[bytes, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """Restores the co-partitions of one application; blocking, called on the executor after fencing."""

    application: str
    changelog: str
    log: Log
    stores: Stores
    brain: Brain
    clock: Clock
    metrics: Metrics

    def restore(self, partition: int) -> Restored:
        """Give a partition's rows as of the changelog's end."""
        tp, began_at_ms = TopicPartition(self.changelog, partition), self.clock.now_ms()
        failpoint("engine.restore_after_fence")
        first, end = self.log.beginning_offsets([tp])[tp], self.log.end_offsets([tp])[tp]
        rows = self.stores.open(partition)
        try:
            meta, next_offset = self._caught_up(tp, rows, first, end)
            if meta is None:
                rows = self.stores.discard(partition, rows)
                meta, next_offset = self._read(tp, rows, first)
            if meta is not None:
                claim(rows, Owner(application=self.application, partition=partition, incarnation=meta.incarnation))
            held = _held(rows)
        except BaseException:
            rows.close()  # or whoever tries again finds it locked by us
            raise
        self.metrics.restore_seconds.observe((self.clock.now_ms() - began_at_ms) / 1000)
        return Restored(rows=rows, meta=meta, next_offset=next_offset, held=held)

    def _caught_up(self, tp: TopicPartition, rows: Rows, first: int, end: int) -> tuple[MetaRow | None, int]:
        """Read on from where a store stopped; no meta row for one that cannot be trusted."""
        try:
            saved, owner = _saved(rows), _owner(rows)
        except (ExitError, msgspec.MsgspecError):
            return None, first
        if saved and owner and self._may_trust(saved, owner, tp.partition, first, end):
            meta, next_offset = self._read(tp, rows, saved.next_offset)
            if meta is not None and meta.incarnation == owner.incarnation:  # else another changelog of the same name
                return meta, next_offset
        if owner is not None:
            self.metrics.stores_discarded.inc()
        return None, first

    def _may_trust(self, saved: Saved, owner: Owner, partition: int, first: int, end: int) -> bool:
        is_ours = (owner.application, owner.partition) == (self.application, partition)
        is_young = 0 <= self.clock.now_ms() - saved.at_ms < OLDEST_STORE_MS  # a clock once ahead proves nothing
        return is_ours and is_young and first <= saved.next_offset <= end

    def _read(self, tp: TopicPartition, rows: Rows, from_offset: int) -> tuple[MetaRow | None, int]:
        meta, at = None, from_offset
        end, lag = self.log.end_offsets([tp])[tp], self.metrics.store_lag.labels(str(tp.partition))
        lag.set(end - at)
        for stretch in self.log.read_to_end(tp, from_offset):
            meta = self._take_in(rows, stretch, at) or meta
            at = stretch.next_offset
            lag.set(max(0, end - at))
            self.metrics.restore_records.inc(len(stretch.rows))
            failpoint("engine.restore_mid_changelog")
        return meta, at

    def _take_in(self, rows: Rows, stretch: Stretch, starts_at: int) -> MetaRow | None:
        """Write one stretch with its alarms, and give its meta row; the position saved is where one can be met."""
        last = {key: value for key, value in stretch.rows if key is not None}
        changes: dict[bytes, bytes | None] = dict(last)
        for key, value in last.items():
            if key.startswith(STATE_PREFIX):
                self._move_alarm(rows, changes, key, value)
        found = last.get(META_ROW)
        if found is not None:
            changes[POSITION_ROW] = _encode(Saved(next_offset=starts_at, at_ms=self.clock.now_ms()))
        rows.write(changes)
        return _meta(found) if found is not None else None

    def _move_alarm(self, rows: Rows, changes: dict[bytes, bytes | None], key: bytes, value: bytes | None) -> None:
        customer, was = key[len(STATE_PREFIX) :], rows.get(key)
        for raw, mark in ((was, None), (value, b"")):
            alarm = None if raw is None else self.brain.alarm_at_ms(decoded_state(self.brain, raw))
            if alarm is not None:
                changes[alarm_row(alarm, customer)] = mark


def _meta(raw: bytes) -> MetaRow:
    try:
        return decode_meta(raw)
    except RowUnreadable as error:
        raise ExitError(ExitCode.STATE_UNREADABLE, str(error)) from error


def claim(rows: Rows, owner: Owner) -> None:
    """Write whose store this is."""
    rows.write({OWNER_ROW: _encode(owner)})


def _saved(rows: Rows) -> Saved | None:
    raw = rows.get(POSITION_ROW)
    return None if raw is None else msgspec.msgpack.decode(raw, type=Saved)


def _owner(rows: Rows) -> Owner | None:
    raw = rows.get(OWNER_ROW)
    return None if raw is None else msgspec.msgpack.decode(raw, type=Owner)


def _held(rows: Rows) -> dict[bytes, int]:
    held: dict[bytes, int] = {}
    for key, _ in rows.scan(QUARANTINE_PREFIX, QUARANTINE_PREFIX):
        customer, sequence = quarantine_row_parts(key)
        held[customer] = sequence + 1
    return held
