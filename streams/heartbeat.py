"""A partition's sign of life: when one is due and what it says (I11)."""

from itertools import islice

from schemas.changelog import TIME, VIRTUAL
from schemas.identity import HEARTBEAT_KEY
from schemas.outputs import HeartbeatSent
from schemas.topics import FENCE
from streams.brain import Emission
from streams.draft import Draft
from streams.store import ALARM_PREFIX, alarm_parts

NO_ALARM = 0


def add_heartbeat(draft: Draft) -> HeartbeatSent | None:
    """Add a heartbeat to a finished draft where the last one no longer tells the truth, and give it."""
    if not _is_due(draft):
        return None
    meta = draft.meta
    heartbeat = HeartbeatSent(
        partition=draft.part.number,
        watermark_at_ms=meta.watermark_at_ms,
        fresh_at_ms=meta.fresh_at_ms,
        next_alarm_at_ms=_next_alarm_at_ms(draft),
        outstanding=meta.outstanding,
        policy_number=meta.policy_number,
        tick_offset=meta.tick_offset,
        is_virtual=meta.data_versions.get(TIME) == VIRTUAL,
    )
    draft.emissions.append(Emission(FENCE, HEARTBEAT_KEY, draft.brain.encode(heartbeat)))
    return heartbeat


def _is_due(draft: Draft) -> bool:
    last, meta = draft.part.announced, draft.meta
    if last is None:
        return True
    told = (last.watermark_at_ms, last.fresh_at_ms, last.outstanding, last.policy_number)
    if told != (meta.watermark_at_ms, meta.fresh_at_ms, meta.outstanding, meta.policy_number):
        return True
    earliest = draft.earliest_alarm_at_ms
    return earliest is not None and (last.next_alarm_at_ms == NO_ALARM or earliest < last.next_alarm_at_ms)


def _next_alarm_at_ms(draft: Draft) -> int:
    """Look past the alarms that this draft removes, and at those it sets."""
    rows = draft.part.rows.scan(draft.part.alarm_floor, ALARM_PREFIX)
    stored = next(islice((alarm_parts(row)[0] for row, _ in rows if draft.index.get(row, b"") is not None), 1), None)
    known = [at_ms for at_ms in (stored, draft.earliest_alarm_at_ms) if at_ms is not None]
    return min(known, default=NO_ALARM)
