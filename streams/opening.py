"""Taking a co-partition: fence, positions, restore, and the checks that no input was lost on the way (I2, I3, I9)."""

import asyncio
import uuid
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from schemas.changelog import REAL, TIME, VIRTUAL, MetaRow
from schemas.errors import ExitCode, ExitError
from schemas.topics import INPUTS, TICK
from schemas.transport.records import TopicPartition
from streams.apply import FROM_THE_FIRST
from streams.brain import Brain, Policies
from streams.copartition import CoPartition, advanced
from streams.draft import Draft
from streams.log import Executor, Log, Producer
from streams.refusals import window_of
from streams.restore import Restored, Restoring, claim
from streams.store import Owner, Rows
from streams.transaction import Transactions

Offsets = Mapping[TopicPartition, int]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Opens co-partitions for a worker that was just given them."""

    application: str
    brain: Brain
    log: Log
    executor: Executor
    restoring: Restoring
    transactions: Transactions
    is_time_virtual: bool

    async def open(self, numbers: Collection[int]) -> list[CoPartition]:
        """Fence all, then ask once for all positions, then restore each; the order is I2.

        All or nothing: where one fails, what was opened of the others is closed again, or they would lock themselves.
        """
        producers = [self.log.producer(number) for number in numbers]
        stores: list[Rows] = []
        try:
            return await self._open(numbers, producers, stores)
        except BaseException:
            for producer in producers:
                producer.close()
            for rows in stores:
                rows.close()
            raise

    async def _open(
        self, numbers: Collection[int], producers: Sequence[Producer], stores: list[Rows]
    ) -> list[CoPartition]:
        run = self.executor.run
        await _all(run(producer.open) for producer in producers)
        inputs = [TopicPartition(topic, number) for number in numbers for topic in INPUTS]
        committed = await run(self.log.committed, inputs)
        first, end = await run(self.log.beginning_offsets, inputs), await run(self.log.end_offsets, inputs)
        restored = await _all(self._restore(number, stores) for number in numbers)
        parts = []
        for number, producer, one in zip(numbers, producers, restored, strict=True):
            mine = [tp for tp in inputs if tp.partition == number]
            positions = _positions(mine, committed, first, end, one.meta is not None)
            part = self._part(number, producer, one, positions)
            if one.meta is None:
                await self._begin(part)
            parts.append(part)
        return parts

    async def _restore(self, number: int, stores: list[Rows]) -> Restored:
        restored = await self.executor.run(self.restoring.restore, number)
        stores.append(restored.rows)
        return restored

    def _part(self, number: int, producer: Producer, restored: Restored, positions: dict[str, int]) -> CoPartition:
        versions = {**self.brain.data_versions, TIME: VIRTUAL if self.is_time_virtual else REAL}
        meta = restored.meta or MetaRow(incarnation=uuid.uuid4().hex, data_versions=versions)
        meta = _with_versions(meta, versions, number)
        policies = self._policies(meta)
        number_in_force = meta.policy_number or self.brain.policy_number(policies)
        return CoPartition(
            number=number,
            producer=producer,
            rows=restored.rows,
            meta=advanced(meta, policy_number=number_in_force),
            policies=policies,
            positions=positions,
            changelog_next=restored.next_offset,
            held=restored.held,
            window=window_of(meta.refusal_bits, meta.refusals_seen, meta.refused_in_a_row),
        )

    def _policies(self, meta: MetaRow) -> Policies:
        if not meta.policies:
            return self.brain.empty_policies
        try:
            return self.brain.decode_policies(meta.policies)
        except Exception as error:
            said = f"the saved policies cannot be read ({type(error).__name__}): run the release that wrote them"
            raise ExitError(ExitCode.STATE_UNREADABLE, said) from error

    async def _begin(self, part: CoPartition) -> None:
        """Write the first meta row together with a position for every input, so that neither is ever alone."""
        draft = Draft(part, self.brain)
        draft.positions = dict(part.positions)
        await self.transactions.commit(draft)
        owner = Owner(application=self.application, partition=part.number, incarnation=part.meta.incarnation)
        await self.executor.run(claim, part.rows, owner)


async def _all(calls: Iterable[Awaitable[Result]]) -> list[Result]:
    """Wait for every call, whatever some raise, so that none opens anything behind our back; then raise the first."""
    results: list[Result] = []
    failed: BaseException | None = None
    for one in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(one, BaseException):
            failed = failed or one
        else:
            results.append(one)
    if failed is not None:
        raise failed
    return results


def _positions(
    mine: Sequence[TopicPartition],
    committed: Mapping[TopicPartition, int | None],
    first: Offsets,
    end: Offsets,
    has_meta: bool,  # noqa: FBT001  one fact beside others, not a mode
) -> dict[str, int]:
    """Give where to go on reading each input.

    Raises:
        ExitError: `inputs_lost`, when a position is missing beside a meta row, or alone, or points at what is gone.
    """
    chained = [tp for tp in mine if tp.topic != TICK]
    known = [tp for tp in chained if committed[tp] is not None]
    if known and not has_meta:
        raise _lost(known[0], "its position is committed, but the changelog holds nothing of this partition")
    positions = {}
    for tp in chained:
        at = committed[tp]
        if at is None and has_meta:
            raise _lost(tp, "the changelog knows this partition, but its committed position is gone")
        if at is not None and not first[tp] <= at <= end[tp]:
            raise _lost(tp, f"the position {at} is outside of what the topic holds, {first[tp]} to {end[tp]}")
        positions[tp.topic] = first[tp] if at is None else at
    ticks = next(tp for tp in mine if tp.topic == TICK)
    return {**positions, TICK: max(first[ticks], end[ticks] - 1)}


def _lost(tp: TopicPartition, what: str) -> ExitError:
    return ExitError(
        ExitCode.INPUTS_LOST,
        f"{tp.topic} partition {tp.partition}: {what}; records may be lost, so nothing is skipped on a guess: see the "
        "runbook InputsLost for how to restore the position or the topic",
    )


def _with_versions(meta: MetaRow, ours: dict[str, str], number: int) -> MetaRow:
    """Adopt newer zone or calendar data and re-judge; refuse older data than was used before (F20), and another time.

    Virtual time takes ticks at their word: on an application that lives in real time nothing would be held back (I10).
    """
    if meta.data_versions == ours:
        return meta
    if meta.data_versions.get(TIME, ours[TIME]) != ours[TIME]:
        raise ExitError(
            ExitCode.DATA_VERSIONS_DIFFER,
            f"partition {number} was judged in {meta.data_versions[TIME]} time and this worker is set to {ours[TIME]} "
            "time: give it an application of its own, or mend PERENNIAL_VIRTUAL_TIME",
        )
    older = sorted(name for name, known in meta.data_versions.items() if _order(ours.get(name, "")) < _order(known))
    if older:
        raise ExitError(
            ExitCode.DATA_VERSIONS_DIFFER,
            f"partition {number} was judged by newer data ({', '.join(older)}) than this worker has; upgrade it",
        )
    return advanced(meta, data_versions=ours, rejudge_cursor=FROM_THE_FIRST)


def _order(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))
