"""The catalogue of the connectors' metrics: one typed place, every label value exported at 0 from the start."""

import time
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from connectors.orders import Report
from schemas.failpoints import active
from schemas.outputs import HeartbeatSent, SendTouch
from schemas.vocabulary import Channel, Outcome, ReceiptReason

_LATENESS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_CALL_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_FENCE_REFUSALS = (
    ReceiptReason.FENCED,
    ReceiptReason.STOPPED,
    ReceiptReason.PAST_SEND_BY,
    ReceiptReason.INTENT_TOO_OLD,
)


class PauseReason(StrEnum):
    """Why a partition of a channel makes no calls."""

    STALE_FENCE = "stale_fence"
    CONTACTS = "contacts"


class LookupResult(StrEnum):
    """Where a contact came from, or why there was none."""

    STORE = "store"
    CACHE = "cache"
    ABSENT = "absent"
    UNAVAILABLE = "unavailable"


class DeliveryMetrics:
    """What a channel process exports, in a registry of its own; `command_lag`, `in_flight`... are set from outside."""

    def __init__(self, channel: Channel) -> None:
        self.registry = registry = CollectorRegistry()
        self._channel = channel.value
        self._lateness = self._histogram("touch_lateness_seconds", "from not_before to the accepted call", _LATENESS_S)
        self._calls = self._counter("provider_calls_total", "calls by outcome", "channel", "outcome")
        self._call_time = self._histogram("provider_call_seconds", "from the start of a call to its answer", _CALL_S)
        self.command_lag = self._gauge("command_lag_seconds", "age of the oldest order held")
        self.in_flight = self._gauge("calls_in_flight", "calls under way")
        self._fence_age = Gauge(
            "perennial_fence_age_seconds", "age of the heartbeat read last", ["channel", "partition"], registry=registry
        )
        self._outstanding = Gauge(
            "perennial_commands_outstanding", "attempts without any receipt", ["partition"], registry=registry
        )
        self._fence_refusals = self._counter("fence_refusals_total", "touches kept back before the call", "reason")
        self._paused = Gauge(
            "perennial_partitions_paused", "partitions that make no calls", ["channel", "reason"], registry=registry
        )
        self._allow_list_refusals = self._counter("allow_list_refusals_total", "recipients not listed", "channel")
        self.in_doubt = self._gauge("intents_in_doubt", "intents without a result, calls under way included")
        self.ledger_read = self._gauge("ledger_read_seconds", "reading the ledgers at the last assignment")
        self._lookups = self._counter("contact_lookups_total", "contact lookups by result", "result")
        self._receipts = self._counter("receipts_total", "receipts written", "channel", "outcome")
        self._unreadable = self._counter("commands_unreadable_total", "records that are no commands", "channel")
        self.stopped = self._gauge("delivery_stopped", "1 while an operator's stop stands in a partition owned here")
        self.owned = self._gauge("partitions_owned", "partitions of this process")
        self._export_zeros()
        Gauge("perennial_failpoints_active", "armed failpoints; 0 outside tests", registry=registry).set(len(active()))

    def called(self, command: SendTouch, report: Report, *, call_ms: int) -> None:
        """Count one call."""
        self._calls.labels(self._channel, report.outcome.value).inc()
        self._call_time.observe(call_ms / 1000)
        if report.outcome is Outcome.ACCEPTED:
            self._lateness.observe(max(0, report.called_at_ms - command.not_before_at_ms) / 1000)

    def reported(self, report: Report) -> None:
        """Count one receipt."""
        self._receipts.labels(self._channel, report.outcome.value).inc()
        if report.reason in _FENCE_REFUSALS:
            self._fence_refusals.labels(report.reason.value).inc()
        elif report.reason is ReceiptReason.NOT_ON_ALLOW_LIST:
            self._allow_list_refusals.labels(self._channel).inc()

    def looked_up(self, result: LookupResult) -> None:
        """Count one contact lookup."""
        self._lookups.labels(result.value).inc()

    def skipped_unreadable(self) -> None:
        """Count a record in the command topic that is no command."""
        self._unreadable.labels(self._channel).inc()

    def heard(self, partition: int, heartbeat: HeartbeatSent, *, age_ms: int) -> None:
        """Tell how old the newest heartbeat of a partition is, and how many commands it says are out."""
        self._fence_age.labels(self._channel, str(partition)).set(age_ms / 1000)
        self._outstanding.labels(str(partition)).set(heartbeat.outstanding)

    def paused(self, reason: PauseReason, partitions: int) -> None:
        """Tell how many partitions make no calls, and why."""
        self._paused.labels(self._channel, reason.value).set(partitions)

    def _histogram(self, name: str, told: str, buckets: tuple[float, ...]) -> Histogram:
        made = Histogram(f"perennial_{name}", told, ["channel"], buckets=buckets, registry=self.registry)
        return made.labels(self._channel)

    def _gauge(self, name: str, told: str) -> Gauge:
        return Gauge(f"perennial_{name}", told, ["channel"], registry=self.registry).labels(self._channel)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"perennial_{name}", told, labels, registry=self.registry)

    def _export_zeros(self) -> None:
        """A series born at 1 shows no increase."""
        for outcome in Outcome:
            self._calls.labels(self._channel, outcome.value)
            self._receipts.labels(self._channel, outcome.value)
        for reason in _FENCE_REFUSALS:
            self._fence_refusals.labels(reason.value)
        for result in LookupResult:
            self._lookups.labels(result.value)
        for pause in PauseReason:
            self._paused.labels(self._channel, pause.value)
        self._allow_list_refusals.labels(self._channel)
        self._unreadable.labels(self._channel)


class ContactsMetrics:
    """What the contacts process exports."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._level_at_s = time.time()
        lag = Gauge("perennial_contact_store_lag_seconds", "time since the store was level last", registry=registry)
        lag.set_function(lambda: time.time() - self._level_at_s)
        self.changes = Counter("perennial_contact_changes_total", "changes applied to the store", registry=registry)
        self.rebuilds = Counter("perennial_contact_rebuilds_total", "times the store was rebuilt", registry=registry)
        Gauge("perennial_failpoints_active", "armed failpoints; 0 outside tests", registry=registry).set(len(active()))

    def level(self) -> None:
        """The store has everything there is to read."""
        self._level_at_s = time.time()
