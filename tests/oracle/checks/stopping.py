"""C6 never after payment, C7 never after an opt-out or an erasure; holds and stops are judged alike."""

from bisect import bisect_left
from collections.abc import Iterator

from schemas import topics
from schemas.vocabulary import Outcome
from tests.oracle.bundle import Logged, NemesisRow
from tests.oracle.expectation import Expectation
from tests.oracle.facts import Span
from tests.oracle.run import Run
from tests.oracle.timeline import Stamp
from tests.oracle.violation import Violation

STOP_BUDGET_MS = 5_000
REAL_CLOCK_SLACK_MS = 100
VIRTUAL_CLOCK_SLACK_MS = 500
_CHECK_OF = {
    "paid": "C6",
    "quarantined": "C6",
    "stopped": "C6",
    "contract_ended": "C6",
    "contract_superseded": "C6",
    "contract_transferred": "C6",
    "unsubscribed": "C7",
    "no_consent": "C7",
    "erased": "C7",
}
_ACCEPTED = frozenset({Outcome.ACCEPTED, Outcome.DELIVERED})


def after_stop(run: Run) -> Iterator[Violation]:
    """Releases and calls that a tick, a heartbeat or five seconds should have stopped."""
    for touch in run.expected.values():
        spans = [span for span in touch.blockers if span.kind in _CHECK_OF]
        if spans and (run.commands.get(touch.touch) or run.inbox.get(touch.touch)):
            yield from _released_after(run, touch, spans)
            yield from _allowed_after(run, touch, [span for span in spans if span.raised[0] in topics.STOPPING])
            if not run.bundle.manifest.is_virtual:
                yield from _received_after(run, touch, [span for span in spans if span.raised[0] in topics.STOPPING])


def _released_after(run: Run, touch: Expectation, spans: list[Span]) -> Iterator[Violation]:
    """(a): the barrier of the releasing tick covered the fact."""
    for ordered in run.commands.get(touch.touch, ()):
        for span in spans:
            if _surely_holds(span, ordered.command.decided_at_ms):
                yield _violation(touch, span, "was released under a tick whose barrier covered the fact")


def _allowed_after(run: Run, touch: Expectation, spans: list[Span]) -> Iterator[Violation]:
    """(b): the heartbeat that allowed the call was of a tick that covered the fact."""
    keys = {ordered.command.touch_key for ordered in run.commands.get(touch.touch, ())}
    for received in (one for key in keys for one in run.receipts.get(key, ())):
        receipt = received.receipt
        if receipt.outcome in _ACCEPTED and receipt.heartbeat_at_ms:
            for span in spans:
                if _surely_holds(span, receipt.heartbeat_at_ms):
                    yield _violation(touch, span, "was called under a heartbeat that covered the fact")


def _received_after(run: Run, touch: Expectation, spans: list[Span]) -> Iterator[Violation]:
    """(c): on the real clock, accepted more than five seconds after the fact was appended, whatever the cause."""
    for row in run.inbox.get(touch.touch, ()):
        for span in spans:
            if row.acted and span.raised_at_ms + STOP_BUDGET_MS < row.received_ms < span.lifted_at_ms:
                late_ms = row.received_ms - span.raised_at_ms
                yield _violation(touch, span, f"row {row.seq} was accepted {late_ms} ms after the fact")


def _surely_holds(span: Span, now_ms: int) -> bool:
    return span.certain_from_ms <= now_ms < span.certain_to_ms


def _violation(touch: Expectation, span: Span, says: str) -> Violation:
    topic, offset = span.raised
    return Violation(
        check=_CHECK_OF[span.kind],
        says=f"{span.kind} ({topic} offset {offset}): {says}",
        touch=touch.touch,
        customer_id=touch.customer_id,
    )


def dishonest_barriers(run: Run) -> Iterator[Violation]:
    """Ticks whose barrier misses a record that was there well before the tick was stamped."""
    is_virtual = run.bundle.manifest.is_virtual
    for topic in topics.BARRIER:
        by_partition: dict[int, list[Logged]] = {}
        for one in run.bundle.topics[topic]:
            by_partition.setdefault(one.partition, []).append(one)
        for partition, logged in by_partition.items():
            appended = [one.appended_at_ms for one in logged]
            for stamp in run.inputs.timelines[partition].stamps:
                limit_ms = (
                    stamp.appended_at_ms - VIRTUAL_CLOCK_SLACK_MS if is_virtual else stamp.now_ms - REAL_CLOCK_SLACK_MS
                )
                place = bisect_left(appended, limit_ms)
                missed = logged[place - 1].offset if place else -1
                if missed >= stamp.barrier.get(topic, 0) and not _is_clock_harmed(run, stamp):
                    says = f"tick {stamp.offset} of partition {partition} misses offset {missed} of {topic}"
                    yield Violation(check="C6", says=says)


def _is_clock_harmed(run: Run, stamp: Stamp) -> bool:
    return any(_harms(row, stamp) for row in run.bundle.nemesis)


def _harms(row: NemesisRow, stamp: Stamp) -> bool:
    return row.target.startswith("clock") and row.from_ms <= stamp.appended_at_ms <= row.to_ms + STOP_BUDGET_MS
