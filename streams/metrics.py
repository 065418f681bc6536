"""The engine's metrics catalogue: every name once, typed, and at 0 for every label value from the start."""

from collections.abc import Iterable
from importlib.metadata import version
from itertools import product
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from schemas.errors import ExitCode
from schemas.failpoints import active
from schemas.topics import INPUTS
from schemas.vocabulary import Channel, Reason, Verdict

Family = TypeVar("Family", Counter, Gauge, Histogram)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_LATENESS_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
_RECORDS = (1, 3, 10, 30, 100, 300, 1_000, 3_000)
CAUSES = ("undecodable", "unknown_schema", "invalid", "step_failed", "refused")
INVARIANTS = ("law_1", "i3", "i5")
_OUTCOMES = ("committed", "aborted", "unknown")
_PREFIX = "perennial_"


class Metrics:
    """All series of one worker; partitions appear as they are taken and go as they are given up."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._of_partitions: list[Gauge] = []
        self._children: dict[tuple[int, tuple[str, ...]], Any] = {}  # series are generic over their class
        # applying
        self.records_applied = self._counter("records_applied_total", "Input records applied", topic=INPUTS)
        self.event_freshness = self._histogram("event_freshness_seconds", "Append to commit of the newest of a slice")
        self.batch_commit = self._histogram("batch_commit_seconds", "From the begin of a transaction to its commit")
        self.batch_records = self._histogram("batch_records", "Records in a transaction", _RECORDS)
        self.transactions = self._counter("transactions_total", "Transactions by how they ended", outcome=_OUTCOMES)
        self.records_rerouted = self._counter(
            "records_rerouted_total", "Records sent to their own partition", topic=INPUTS
        )
        self.input_lag = self._partition_gauge("input_lag_seconds", "Age of the last applied record", "topic")
        # time
        self.watermark_lag = self._partition_gauge("watermark_lag_seconds", "Now minus the last applied tick")
        self.tick_waiting = self._partition_gauge(
            "tick_waiting_seconds", "How long the oldest tick waits for its barrier"
        )
        self.ticks_ahead = self._counter("ticks_ahead_total", "Ticks stamped later than the broker took them")
        self.clock_offset = self._gauge("clock_offset_seconds", "Last tick minus the broker's append time of it")
        # judging
        self.touches_judged = self._counter(
            "touches_judged_total", "Decisions recorded", decision=list(Verdict), reason=list(Reason)
        )
        self.touches_released = self._counter("touches_released_total", "Commands sent", channel=list(Channel))
        self.touch_release_lateness = self._histogram(
            "touch_release_lateness_seconds", "Release after the opening", _LATENESS_SECONDS, channel=list(Channel)
        )
        self.touches_expired = self._counter(
            "touches_expired_total", "Touches whose window closed", channel=list(Channel), cause=list(Reason)
        )
        self.touch_overdue_oldest = self._partition_gauge("touch_overdue_oldest_seconds", "Age of the oldest due alarm")
        self.customers = self._partition_gauge("customers", "Customers known", "condition")
        # refusing
        self.dead_letters = self._counter("dead_letters_total", "Records refused", topic=INPUTS, cause=CAUSES)
        self.invariant_breaches = self._counter("invariant_breaches_total", "Broken promises", invariant=INVARIANTS)
        self.chain_gaps_healed = self._counter("chain_gaps_healed_total", "Gaps in an input read again by seeking back")
        self.stores_discarded = self._counter("stores_discarded_total", "Local stores thrown away and rebuilt")
        # owning
        self.partitions_owned = self._gauge("partitions_owned", "Co-partitions of this worker")
        self.rebalances = self._counter("rebalances_total", "Assignments taken")
        self.store_lag = self._partition_gauge("store_lag_records", "Changelog records to read before serving")
        self.restore_seconds = self._histogram("restore_seconds", "Time to restore one partition")
        self.restore_records = self._counter("restore_records_total", "Changelog records read by restores")
        self.state_bytes = self._partition_gauge("state_bytes", "Bytes of the local store")
        self.worker_ready = self._gauge("worker_ready", "1 while all assigned partitions are served")
        self.previous_exit = self._labelled_gauge(
            "worker_previous_exit", "1 for the code of the last exit", code=list(ExitCode)
        )
        self.policy_number = self._partition_gauge("policy_number", "Policy in force")
        self.rejudge_remaining = self._partition_gauge(
            "rejudge_remaining_customers", "Customers still to re-judge, at most"
        )
        self.failpoints_active = self._gauge("failpoints_active", "Armed failpoints; 0 outside tests")
        self.build_info = Gauge(_PREFIX + "build_info", "Versions", ["version", "tzdata"], registry=self.registry)

    def begin(self, previous_exit: str, tzdata: str) -> None:
        """Note what is known when a worker starts."""
        if previous_exit in set(ExitCode):
            self.previous_exit.labels(previous_exit).set(1)
        self.failpoints_active.set(len(active()))
        self.build_info.labels(version("perennial"), tzdata).set(1)

    def child(self, family: Family, *labels: str) -> Family:
        """Give one series of a family; remembered, for the library's own look-up locks and formats at every call."""
        known: Family | None = self._children.get((id(family), labels))
        if known is None:
            known = self._children[id(family), labels] = family.labels(*labels)
        return known

    def tell(self, metric: str, labels: tuple[str, ...], amount: float) -> None:
        """Note what a brain told about a metric of this catalogue."""
        series = self.child(getattr(self, metric), *labels)
        (series.observe if isinstance(series, Histogram) else series.inc)(amount)

    def forget_partition(self, partition: int) -> None:
        """Drop the series of a partition that was given up."""
        self._children.clear()
        for gauge in self._of_partitions:
            for sample in [sample for family in gauge.collect() for sample in family.samples]:
                if sample.labels["partition"] == str(partition):
                    gauge.remove(*(sample.labels[name] for name in gauge._labelnames))  # noqa: SLF001  no public accessor

    def exposed(self) -> bytes:
        """Give the text of `/metrics`."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, **labels: Iterable[str]) -> Counter:
        counter = Counter(_PREFIX + name, meaning, list(labels), registry=self.registry)
        for values in product(*labels.values()) if labels else ():
            counter.labels(*values)
        return counter

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...] = _SECONDS, **labels: Iterable[str]
    ) -> Histogram:
        histogram = Histogram(_PREFIX + name, meaning, list(labels), buckets=buckets, registry=self.registry)
        for values in product(*labels.values()) if labels else ():
            histogram.labels(*values)
        return histogram

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(_PREFIX + name, meaning, registry=self.registry)

    def _labelled_gauge(self, name: str, meaning: str, **labels: Iterable[str]) -> Gauge:
        gauge = Gauge(_PREFIX + name, meaning, list(labels), registry=self.registry)
        for values in product(*labels.values()) if labels else ():
            gauge.labels(*values)
        return gauge

    def _partition_gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        gauge = Gauge(_PREFIX + name, meaning, [*labels, "partition"], registry=self.registry)
        self._of_partitions.append(gauge)
        return gauge
