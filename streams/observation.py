"""What lanes tell the metrics and the log: once a transaction or a change, never once a record."""

from dataclasses import dataclass

import structlog

from schemas.errors import PerennialError
from streams.copartition import CoPartition
from streams.draft import Draft
from streams.log import Clock
from streams.metrics import Metrics
from streams.store import alarm_parts
from streams.ticks import StampedTick
from streams.waking import Chunk

log = structlog.get_logger("perennial.engine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Keeps the series of a worker."""

    metrics: Metrics
    clock: Clock

    def committed(self, draft: Draft, began_at_ms: int) -> None:
        """Note what a transaction held."""
        metrics, now_ms, number = self.metrics, self.clock.now_ms(), str(draft.part.number)
        metrics.batch_commit.observe((now_ms - began_at_ms) / 1000)
        metrics.batch_records.observe(sum(len(records) for _, records in draft.applied))
        child = metrics.child
        for topic, records in draft.applied:
            if records:
                age_s = max(0, now_ms - records[-1].timestamp) / 1000
                child(metrics.records_applied, topic).inc(len(records))
                metrics.event_freshness.observe(age_s)
                child(metrics.input_lag, topic, number).set(age_s)
        for emission in draft.emissions:
            for told in emission.told:
                metrics.tell(told.metric, told.labels, told.amount)
        for stray in draft.forwarded:
            child(metrics.records_rerouted, stray.topic).inc()

    def tick(self, tick: StampedTick) -> None:
        """Note a tick that arrived."""
        if tick.is_ahead:
            self.metrics.ticks_ahead.inc()
        self.metrics.clock_offset.set((tick.tick.now_ms - tick.now_ms) / 1000)

    def wake(self, part: CoPartition, tick: StampedTick, chunk: Chunk) -> None:
        """Note how late the oldest due alarm is."""
        overdue_s = (tick.now_ms - alarm_parts(chunk.rows[0])[0]) / 1000 if chunk.rows else 0.0
        self.metrics.child(self.metrics.touch_overdue_oldest, str(part.number)).set(overdue_s)

    def look(self, part: CoPartition) -> None:
        """Note how a partition stands when somebody asks: what grows by itself, and what need not be told each time."""
        now_ms, number = self.clock.now_ms(), str(part.number)
        metrics, meta = self.metrics, part.meta
        metrics.customers.labels("active", number).set(meta.customers - len(part.held))
        metrics.customers.labels("quarantined", number).set(len(part.held))
        metrics.policy_number.labels(number).set(meta.policy_number)
        metrics.rejudge_remaining.labels(number).set(0 if meta.rejudge_cursor is None else meta.customers)
        oldest_ms = part.waiting.oldest_at_ms()
        waits_s = 0.0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000
        metrics.tick_waiting.labels(number).set(waits_s)
        if meta.watermark_at_ms:
            metrics.watermark_lag.labels(number).set(max(0, now_ms - meta.watermark_at_ms) / 1000)
        metrics.state_bytes.labels(number).set(part.rows.size_bytes())

    def gap(self, part: CoPartition, topic: str) -> None:
        """Note a gap that is being healed."""
        self.metrics.chain_gaps_healed.inc()
        log.warning("chain_gap_healed", partition=part.number, topic=topic, position=part.positions[topic])

    def waiting(self, part: CoPartition, error: PerennialError) -> None:
        """Note why a partition cannot go on for now."""
        log.warning("partition_waits", partition=part.number, cause=type(error).__name__, detail=str(error))
