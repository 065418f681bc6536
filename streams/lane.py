"""The lane of one co-partition: whatever changes it goes through here, one transaction after the other (I1)."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.errors import SchemaUnavailable
from schemas.failpoints import failpoint
from schemas.topics import BARRIER, CONTRACT, CUSTOMER, ENGAGEMENT, PAYMENT, POLICY, RECEIPT, REQUEST, STOPPING, TICK
from schemas.transport.records import TopicPartition
from streams.apply import Applier
from streams.brain import Brain
from streams.chain import Link, link_of, split, untaken
from streams.copartition import CoPartition, advanced
from streams.draft import Draft, StateOversized
from streams.heartbeat import add_heartbeat
from streams.intake import Batch, Intake, Slice
from streams.log import Clock
from streams.observation import Observation
from streams.rejudge import Rejudging
from streams.requests import apply_requests
from streams.ticks import StampedTick
from streams.transaction import RunAgain, Transactions
from streams.waking import Chunk, Waking

ORDER = {topic: n for n, topic in enumerate((POLICY, REQUEST, CUSTOMER, CONTRACT, PAYMENT, RECEIPT, ENGAGEMENT, TICK))}
BULK = frozenset({CONTRACT, ENGAGEMENT})
PATIENCE_MS = 1_000  # and at most one log line for it
FEWEST_RECORDS, MOST_RECORDS = 200, 3_000
TURN_MS = 50  # what a batch may take of the loop: with all lanes busy a payment still waits less than a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What all lanes of a worker share."""

    brain: Brain
    intake: Intake
    applier: Applier
    waking: Waking
    rejudging: Rejudging
    transactions: Transactions
    clock: Clock
    observation: Observation
    largest_state_bytes: int
    largest_held_state_bytes: int


class Lane:
    """Runs one co-partition: waiting batches first, then a chunk of re-judging or of a tick's wakes, and again."""

    def __init__(self, part: CoPartition, works: Works) -> None:
        self.part, self._works = part, works
        self.backlog = 0
        self._most_records = MOST_RECORDS
        self._urgent: deque[Slice] = deque()
        self._bulk: deque[Slice] = deque()
        self._bell = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_open = True

    def put(self, batch: Batch) -> None:
        """Queue what one poll brought."""
        if not self._is_open:
            return
        for piece in batch.slices:
            (self._bulk if piece.tp.topic in BULK else self._urgent).append(piece)
            self.backlog += len(piece.records)
        self._bell.set()

    async def quiesce(self) -> None:
        """Drop what is queued and let the running transaction end; nothing more is taken until `resume`."""
        self.pause()
        await self._idle.wait()

    def pause(self) -> None:
        """Drop what is queued and begin nothing more."""
        self._is_open = False
        self._urgent.clear()
        self._bulk.clear()
        self.backlog = 0

    def resume(self) -> None:
        """Take batches again."""
        self._is_open = True
        self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; whatever escapes ends the process."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            self._idle.clear()
            try:
                is_busy = True
                while self._is_open and is_busy:
                    is_busy = await self._turn()
                    await asyncio.sleep(0)  # the others' turn
            finally:
                self._idle.set()

    async def _turn(self) -> bool:
        """Do one round and tell whether there was anything to do."""
        pieces = self._next_pieces()
        if pieces:
            await self._apply(pieces)
        is_busy = await self._rejudge() or await self._wake() or await self._freshen()
        return bool(pieces) or is_busy

    def _next_pieces(self) -> list[Slice]:
        """Take what may stop a touch first, then of an import what a turn has time for."""
        pieces: list[Slice] = []
        room = self._most_records
        for queue in (self._urgent, self._bulk):
            while queue and room > 0:
                piece, rest = split(queue.popleft(), room)
                if rest is not None:
                    queue.appendleft(rest)
                pieces.append(piece)
                room -= len(piece.records)
                self.backlog -= len(piece.records)
        return sorted(pieces, key=lambda piece: ORDER[piece.tp.topic])

    async def _apply(self, pieces: Sequence[Slice]) -> None:
        part = self.part
        current = [piece for piece in pieces if piece.epoch >= part.epochs.get(piece.tp.topic, 0)]
        gaps: dict[TopicPartition, int] = {}
        ticks: list[StampedTick] = []

        def build(draft: Draft, careful: set[bytes]) -> None:
            began_ns = time.perf_counter_ns()
            gaps.clear()
            ticks.clear()
            for piece in current:
                if piece.tp.topic == TICK:
                    ticks.extend(self._works.applier.ticks(draft, piece.records))
                else:
                    self._apply_piece(draft, piece, careful, gaps)
            self._pace(sum(len(records) for _, records in draft.applied), time.perf_counter_ns() - began_ns)

        await self._transact(build)
        for tick in ticks:
            part.tick_seen = tick.offset
            self._works.observation.tick(tick)
            if tick.now_ms > part.meta.watermark_at_ms:
                part.waiting.add(tick)
        if gaps:
            await self._heal(gaps)

    def _apply_piece(self, draft: Draft, piece: Slice, careful: set[bytes], gaps: dict[TopicPartition, int]) -> None:
        topic, works = piece.tp.topic, self._works
        position = draft.positions.get(topic, self.part.positions[topic])
        link = link_of(piece, position)
        if link is Link.GAP:
            gaps[piece.tp] = position
        if link is not Link.NEXT:
            return
        records = untaken(piece, position)
        if topic == POLICY:
            works.applier.policies(draft, records)
        elif topic == REQUEST:
            apply_requests(works.applier, draft, records, careful)
        else:
            works.applier.records(draft, topic, records, careful)
        draft.positions[topic] = piece.next
        draft.applied.append((topic, records))

    def _pace(self, records: int, took_ns: int) -> None:
        """Size batches by how long the brain takes; where inputs are cut changes no state (I8)."""
        if records >= FEWEST_RECORDS and took_ns:
            fitting = records * TURN_MS * 1_000_000 // took_ns
            self._most_records = max(FEWEST_RECORDS, min(MOST_RECORDS, (self._most_records + fitting) // 2))

    async def _heal(self, gaps: dict[TopicPartition, int]) -> None:
        """Read again from where we are; what is queued from beyond the gap is older than the seek and falls away."""
        for tp, position in gaps.items():
            self.part.gaps.met(tp, position)
            self._works.observation.gap(self.part, tp.topic)
        epoch = await self._works.intake.seek(gaps)
        self.part.epochs.update({tp.topic: epoch for tp in gaps})

    async def _rejudge(self) -> bool:
        if self.part.meta.rejudge_cursor is None:
            return False
        await self._transact(lambda draft, careful: self._works.rejudging.rejudge(draft, self.part, careful))
        return True

    async def _wake(self) -> bool:
        tick = self._current_tick()
        if tick is None:
            return False
        works, part = self._works, self.part
        chunk = works.waking.due(part, tick.now_ms)
        works.observation.wake(part, tick, chunk)
        if await self._transact(lambda draft, careful: works.waking.wake(draft, tick, chunk, careful)):
            self._chunk_done(tick, chunk)
        return True

    def _current_tick(self) -> StampedTick | None:
        part = self.part
        if not part.meta.policy_number:
            return None
        if part.tick is None:
            part.tick = part.waiting.newest_passed(part.positions, BARRIER)
        return part.tick

    def _chunk_done(self, tick: StampedTick, chunk: Chunk) -> None:
        part = self.part
        if chunk.rows:
            part.alarm_floor = max(part.alarm_floor, chunk.rows[-1])
        if part.meta.watermark_at_ms >= tick.now_ms:
            part.tick = None
            part.waiting.forget_until(tick.now_ms)
        else:
            failpoint("engine.between_tick_chunks")

    async def _freshen(self) -> bool:
        if self._fresh_at_ms({}) <= self.part.meta.fresh_at_ms:
            return False
        await self._transact(lambda _draft, _careful: None)
        return True

    def _fresh_at_ms(self, moved: dict[str, int]) -> int:
        part = self.part
        newest = part.waiting.newest_passed({**part.positions, **moved}, STOPPING)
        return max(part.meta.fresh_at_ms, part.meta.watermark_at_ms, newest.now_ms if newest else 0)

    async def _transact(self, build: Callable[[Draft, set[bytes]], object]) -> bool:
        """Build a draft and commit it, again where nothing of it became visible; False when revoked before that."""
        careful: set[bytes] = set()
        while self._is_open:
            draft = Draft(self.part, self._works.brain)
            try:
                build(draft, careful)
                draft.finish(self._works.largest_state_bytes, self._works.largest_held_state_bytes)
                if draft.is_mere_move and self._fresh_at_ms(draft.positions) <= self.part.meta.fresh_at_ms:
                    self.part.move(draft.positions)
                else:
                    await self._commit(draft)
            except StateOversized as error:
                if error.customer in careful:  # step by step it fitted, and yet it does not: nothing is left to refuse
                    raise
                careful.add(error.customer)
            except (SchemaUnavailable, RunAgain) as error:
                self._works.observation.waiting(self.part, error)
                await self._works.clock.pause(PATIENCE_MS)
            else:
                return True
        return False

    async def _commit(self, draft: Draft) -> None:
        part, works = self.part, self._works
        draft.meta = advanced(
            draft.meta, fresh_at_ms=max(self._fresh_at_ms(draft.positions), draft.meta.watermark_at_ms)
        )
        heartbeat = add_heartbeat(draft)
        began_at_ms = works.clock.now_ms()
        await works.transactions.commit(draft)
        part.announced = heartbeat or part.announced
        works.observation.committed(draft, began_at_ms)
