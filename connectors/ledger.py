"""A partition's ledger in memory: which touches have an intent or a result, and which may be forgotten."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from schemas.outputs import LedgerRow, SendTouch
from schemas.topics import DAY_MS
from schemas.vocabulary import LedgerStage

KEPT_AFTER_SEND_BY_MS = 7 * DAY_MS


class Standing(Enum):
    """What the ledger knows of a command."""

    NEW = auto()
    IN_DOUBT = auto()
    TOLD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is kept of a row: enough to tell a new attempt from one that was begun or reported."""

    attempt: int
    is_result: bool
    send_by_at_ms: int
    intent_at_ms: int


class Ledger:
    """The rows of one partition, newest per touch; a row goes 7 days after the last `send_by` it concerns."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._by_send_by: list[tuple[int, str]] = []

    def apply(self, touch_key: str, row: LedgerRow | None) -> None:
        """Take one row in topic order; None is a tombstone."""
        if row is None:
            self._entries.pop(touch_key, None)
            return
        self._entries[touch_key] = Entry(
            attempt=row.attempt,
            is_result=row.stage is LedgerStage.RESULT,
            send_by_at_ms=row.send_by_at_ms,
            intent_at_ms=row.intent_at_ms,
        )
        heapq.heappush(self._by_send_by, (row.send_by_at_ms, touch_key))

    def standing(self, command: SendTouch) -> Standing:
        """Whether this attempt is new, was begun by somebody who did not come back, or was reported."""
        entry = self._entries.get(command.touch_key)
        if entry is None or entry.attempt < command.attempt:
            return Standing.NEW
        if entry.attempt > command.attempt or entry.is_result:
            return Standing.TOLD
        return Standing.IN_DOUBT

    def intent_at_ms(self, touch_key: str) -> int:
        """When the last intent of a touch was written; 0 when there is none."""
        entry = self._entries.get(touch_key)
        return entry.intent_at_ms if entry is not None else 0

    def forgettable(self, now_ms: int, limit: int) -> Iterator[str]:
        """Take out at most `limit` touches whose `send_by` is more than 7 days past; each is named once."""
        while limit > 0 and self._by_send_by and self._by_send_by[0][0] + KEPT_AFTER_SEND_BY_MS < now_ms:
            _, touch_key = heapq.heappop(self._by_send_by)
            entry = self._entries.get(touch_key)
            if entry is not None and entry.send_by_at_ms + KEPT_AFTER_SEND_BY_MS < now_ms:
                del self._entries[touch_key]
                limit -= 1
                yield touch_key

    def in_doubt(self) -> int:
        """How many touches have an intent and no result."""
        return sum(not entry.is_result for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)
