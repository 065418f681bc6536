"""A draft becomes one Kafka transaction: outputs, changelog, positions; then it goes to the store (I1, I2, I4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from schemas.errors import ExitCode, ExitError, PerennialError
from schemas.failpoints import failpoint
from schemas.transport.errors import Abortable, BrokerRefused, BrokerUnavailable, CommitUnknown, Fenced
from schemas.transport.records import TopicPartition
from streams.copartition import CoPartition
from streams.draft import Draft
from streams.log import Clock, Executor, Log
from streams.metrics import Metrics
from streams.store import POSITION_ROW, Saved

_MARKER = 1  # a commit takes one offset of every partition it wrote to
MOST_UNANSWERED_COMMITS = 4
PATIENCE_MS = 500
_encode = msgspec.msgpack.Encoder().encode


class RunAgain(PerennialError):
    """A transaction was aborted with nothing visible; the same input may be applied again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Commits drafts of one application."""

    application: str
    changelog: str
    log: Log
    executor: Executor
    clock: Clock
    metrics: Metrics

    async def commit(self, draft: Draft) -> None:
        """Make a finished draft true, everywhere and at once.

        Raises:
            RunAgain: nothing of it is visible; apply the same input again.
            ExitError: fenced, refused for good, unanswered too often, or the store cannot be written.
        """
        number = draft.part.number
        try:
            await self._send_or_abort(draft)
        except Fenced as error:
            raise ExitError(ExitCode.FENCED, f"partition {number} has a new owner: {error}") from error
        except BrokerRefused as error:
            raise ExitError(ExitCode.BROKER_REFUSED, f"partition {number}: {error}") from error
        self.metrics.child(self.metrics.transactions, "committed").inc()
        _take_over(draft)

    async def _send_or_abort(self, draft: Draft) -> None:
        try:
            await self.executor.run(self._send, draft)
        except (Abortable, BrokerUnavailable) as error:
            self.metrics.transactions.labels("aborted").inc()
            await self._abort(draft.part)
            raise RunAgain(str(error)) from error

    def _send(self, draft: Draft) -> None:
        part = draft.part
        changelog = draft.changelog()
        producer, number = part.producer, part.number
        failpoint("engine.before_begin")
        producer.begin()
        produce = producer.produce
        for topic, key, value, _ in draft.emissions:
            produce(topic, key, value, number)
        for stray in draft.forwarded:
            produce(stray.topic, stray.key, stray.value, stray.partition)
        for key, value in changelog:
            produce(self.changelog, key, value, number)
        failpoint("engine.after_produce")
        failpoint("engine.before_send_offsets")
        producer.send_offsets({TopicPartition(topic, number): at for topic, at in draft.offsets.items()})
        failpoint("engine.before_commit")
        self._commit(part)
        failpoint("engine.after_commit_before_store")
        self._save(draft, changelog)

    def _commit(self, part: CoPartition) -> None:
        for _ in range(MOST_UNANSWERED_COMMITS):
            try:
                return part.producer.commit()
            except CommitUnknown:  # it may stand already, so the only safe question is the same commit again
                self.metrics.transactions.labels("unknown").inc()
        raise ExitError(ExitCode.COMMIT_UNKNOWN, f"partition {part.number}: no broker answers whether a commit stands")

    def _save(self, draft: Draft, changelog: Sequence[tuple[bytes, bytes | None]]) -> None:
        part = draft.part
        saved = Saved(next_offset=part.changelog_next, at_ms=self.clock.now_ms())
        # the position saved is the start of this transaction: reading it once more is harmless, and finds its meta row
        rows = {**dict(changelog), **draft.index, POSITION_ROW: _encode(saved)}
        try:
            part.rows.write(rows)
        except Exception as error:
            said = f"partition {part.number}: the local store took no write: {error}"
            raise ExitError(ExitCode.STORE_UNUSABLE, said) from error
        part.changelog_next += len(changelog) + _MARKER

    async def _abort(self, part: CoPartition) -> None:
        """Abort until the broker answers; one that stays away longer than the transaction lives fences us instead."""
        while True:
            try:
                await self.executor.run(part.producer.abort)
                part.changelog_next = await self.executor.run(self._end_of_changelog, part.number)
            except BrokerUnavailable:
                await self.clock.pause(PATIENCE_MS)
            else:
                return

    def _end_of_changelog(self, partition: int) -> int:
        # an aborted transaction leaves rows and a marker behind, of unknown number
        tp = TopicPartition(self.changelog, partition)
        return self.log.end_offsets([tp])[tp]


def _take_over(draft: Draft) -> None:
    part = draft.part
    part.positions.update(draft.positions)
    part.moved.clear()
    part.held, part.window = draft.held, draft.window
    part.policies, part.meta = draft.policies, draft.meta
    for row, value in draft.index.items():
        if value is not None:
            part.lower_floor(row)
