"""Re-judging: a new policy, a start or new zone data finds every alarm anew, in chunks, emitting nothing (I8)."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from schemas.changelog import STATE_PREFIX, state_row_key
from schemas.errors import ExitError, SchemaUnavailable
from schemas.events import Tick
from streams.apply import Sizes
from streams.brain import Brain
from streams.copartition import CoPartition, advanced
from streams.draft import Draft
from streams.quarantine import Quarantine
from streams.ticks import StampedTick


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudging:
    """Walks the customers of a co-partition; the cursor is in the meta row, so a crash goes on where it was."""

    brain: Brain
    quarantine: Quarantine
    sizes: Sizes
    chunk_customers: int

    def rejudge(self, draft: Draft, part: CoPartition, careful: Collection[bytes] = ()) -> int:
        """Re-judge one chunk from the cursor and tell how many; only what changed is written, `careful` is measured."""
        cursor = draft.meta.rejudge_cursor or b""
        found = [
            row[len(STATE_PREFIX) :]
            for row, _ in islice(part.rows.scan(state_row_key(cursor), STATE_PREFIX), self.chunk_customers + 1)
        ]
        chunk, rest = found[: self.chunk_customers], found[self.chunk_customers :]
        for customer in chunk:
            self._rejudge_one(draft, customer, careful)
        draft.meta = advanced(draft.meta, rejudge_cursor=rest[0] if rest else None)
        return len(chunk)

    def _rejudge_one(self, draft: Draft, customer: bytes, careful: Collection[bytes]) -> None:
        brain, now_ms = self.brain, draft.meta.watermark_at_ms
        try:
            rejudged = brain.step(draft.state_of(customer), brain.rejudge, draft.policies, now_ms).state
            if customer in careful:
                self.sizes.check_state(brain.encode_state(rejudged))
        except (ExitError, SchemaUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  the refusal guard: the others are re-judged all the same
            self.quarantine.refuse_wake(draft, _occasion(draft), customer, error)
            return
        draft.states[customer] = rejudged


def _occasion(draft: Draft) -> StampedTick:
    """Give the last applied tick as the origin of a refusal that no record caused."""
    meta = draft.meta
    tick = Tick(now_ms=meta.watermark_at_ms, barrier={})
    return StampedTick(tick=tick, now_ms=meta.watermark_at_ms, offset=meta.tick_offset, is_ahead=False)
