"""The desk of a channel: the lanes it owns, what is judged next, and what each cycle writes. No I/O."""

import heapq
from collections import deque
from collections.abc import Collection
from itertools import count

from connectors.delivery.judging import Ask, GoAhead, PutOff, Settle, Wait, judge, obstacle
from connectors.delivery.lane import Lane
from connectors.delivery.records import intent_row, receipt, result_row
from connectors.fences import Clock, other_time
from connectors.ledger import Standing
from connectors.metrics import DeliveryMetrics, PauseReason
from connectors.orders import Cycle, DeliveryClass, Finished, Order, told
from connectors.ports import Opening
from schemas.errors import ExitCode, ExitError

LOOK_AGAIN_MS = 500
SETTLED_PER_CYCLE = 500
FORGOTTEN_PER_CYCLE = 200


class Desk:
    """Orders move from lanes to calls and from calls into cycles; each is in exactly one place."""

    def __init__(self, *, delivery_class: DeliveryClass, clock: Clock, metrics: DeliveryMetrics, owner: str) -> None:
        self._delivery_class, self._clock, self._metrics, self._owner = delivery_class, clock, metrics, owner
        self._later: list[tuple[int, int, Order]] = []
        self._cleared: list[Order] = []
        self._sequence = count()
        self.lanes: dict[int, Lane] = {}

    def open(self, opening: Opening) -> None:
        """Take a partition."""
        self.lanes[opening.partition] = Lane(position=opening.position, ledger=opening.ledger, fences=opening.fences)

    def drop(self, partitions: Collection[int]) -> None:
        """Forget partitions; nothing of theirs may be under way."""
        for partition in partitions:
            self.lanes.pop(partition, None)
        self._cleared = [order for order in self._cleared if order.partition not in partitions]
        self._later = [later for later in self._later if later[2].partition not in partitions]
        heapq.heapify(self._later)

    def accept(self, orders: Collection[Order]) -> None:
        """Queue what was fetched; a partition that is gone takes its orders with it."""
        for order in orders:
            if (lane := self.lanes.get(order.partition)) is not None:
                lane.accept(order)

    def check_time(self) -> None:
        """Raise ExitError when a partition lives in another time than we: real and virtual are never mixed."""
        for lane in self.lanes.values():
            heartbeat = lane.fences.heartbeat
            if heartbeat is not None and (why := other_time(self._clock, heartbeat)):
                raise ExitError(ExitCode.SETTINGS_INVALID, why)

    def wake(self, elapsed_ms: int) -> None:
        """Give back orders that were to be looked at again by now."""
        while self._later and self._later[0][0] <= elapsed_ms:
            order = heapq.heappop(self._later)[2]
            self.lanes[order.partition].give_back(order)

    def look_again(self, order: Order, elapsed_ms: int) -> None:
        """Put an order off for a moment of real time."""
        heapq.heappush(self._later, (elapsed_ms + LOOK_AGAIN_MS, next(self._sequence), order))

    def clear(self, order: Order) -> None:
        """Take back an order in doubt that the provider never saw: it is called as new."""
        self._cleared.append(order)

    def choose(self, room: int, cycle: Cycle) -> tuple[list[Order], list[Order]]:
        """Judge orders, partition by partition in turn, until `room` are chosen; what needs no call joins the cycle.

        Returns:
            The orders to call, and those whose provider is to be asked. Partitions with a stale heartbeat wait.
        """
        to_call = self._still_clear(cycle)
        to_ask: list[Order] = []
        lanes = deque(lane for lane in self.lanes.values() if self._clock.believes(lane.fences.heartbeat))
        while lanes and len(to_call) + len(to_ask) < room and len(cycle.results) < SETTLED_PER_CYCLE:
            lane = lanes.popleft()
            if self._judge_next(lane, to_call, to_ask, cycle):
                lanes.append(lane)
        return to_call, to_ask

    def intend(self, order: Order, cycle: Cycle) -> tuple[int, bool]:
        """Write the intent of a call into the cycle; tells its instant, and whether it repeats one in doubt."""
        lane = self.lanes[order.partition]
        is_repeat = self.is_in_doubt(order)
        now_ms = self._now_ms(lane)
        row = intent_row(order, owner=self._owner, now_ms=now_ms)
        lane.ledger.apply(row.touch_key, row)
        cycle.intents.append((order.partition, row))
        return now_ms, is_repeat

    def settle(self, finished: Finished, cycle: Cycle) -> None:
        """Finish an order; its result and receipt join the cycle."""
        order, lane = finished.order, self.lanes[finished.order.partition]
        lane.finish(order)
        if finished.report is None:
            return
        report, now_ms = told(finished, finished.report), self._now_ms(lane)
        row = result_row(order, report, owner=self._owner, intent_at_ms=finished.intent_at_ms, now_ms=now_ms)
        lane.ledger.apply(row.touch_key, row)
        cycle.results.append((order.partition, row))
        cycle.receipts.append((order.partition, receipt(order, report, owner=self._owner, now_ms=now_ms)))
        self._metrics.reported(report)

    def complete(self, cycle: Cycle) -> None:
        """Add the rows whose time is over, and positions: those that moved, and those of every partition written for.

        Without a position the group would not check who we are, and a zombie's intents would stand.
        """
        for number, lane in self.lanes.items():
            moved = lane.advance()
            if lane.position < 0:
                continue
            forgotten = lane.ledger.forgettable(self._now_ms(lane), FORGOTTEN_PER_CYCLE)
            cycle.forgotten.extend((number, touch_key) for touch_key in forgotten)
            if moved is not None:
                cycle.positions[number] = moved
        for number, _ in (*cycle.results, *cycle.intents, *cycle.forgotten):
            cycle.positions.setdefault(number, self.lanes[number].position)

    def is_in_doubt(self, order: Order) -> bool:
        """Whether an earlier call of this attempt was broken off."""
        return self.lanes[order.partition].ledger.standing(order.command) is Standing.IN_DOUBT

    def intent_at_ms(self, order: Order) -> int:
        """When the intent of an order was written."""
        return self.lanes[order.partition].ledger.intent_at_ms(order.command.touch_key)

    @property
    def has_ready(self) -> bool:
        """Whether some lane that may call has an order to judge."""
        return any(lane.has_ready and self._clock.believes(lane.fences.heartbeat) for lane in self.lanes.values())

    def measure(self) -> None:
        """Bring the gauges up to date."""
        lanes, metrics = list(self.lanes.values()), self._metrics
        metrics.owned.set(len(lanes))
        metrics.paused(PauseReason.STALE_FENCE, sum(not self._clock.believes(lane.fences.heartbeat) for lane in lanes))
        metrics.paused(PauseReason.CONTACTS, len({order.partition for _, _, order in self._later}))
        metrics.stopped.set(any(lane.fences.is_stopped for lane in lanes))
        metrics.in_doubt.set(sum(lane.ledger.in_doubt() for lane in lanes))
        lags = [self._now_ms(lane) - at for lane in lanes if (at := lane.oldest_appended_at_ms) is not None]
        metrics.command_lag.set(max([0, *lags]) / 1000)
        for number, lane in list(self.lanes.items()):
            if (heartbeat := lane.fences.heartbeat) is not None:
                metrics.heard(number, heartbeat, age_ms=self._clock.now_ms(heartbeat) - heartbeat.fresh_at_ms)

    def _judge_next(self, lane: Lane, to_call: list[Order], to_ask: list[Order], cycle: Cycle) -> bool:
        """Judge the next order of a lane; False when it has none for now."""
        now_ms = self._now_ms(lane)
        order = lane.take(now_ms)
        if order is None:
            return False
        verdict = judge(
            order, ledger=lane.ledger, fences=lane.fences, now_ms=now_ms, delivery_class=self._delivery_class
        )
        match verdict:
            case GoAhead():
                to_call.append(order)
            case Ask():
                to_ask.append(order)
            case Settle(report=report):
                self.settle(Finished(order=order, report=report), cycle)
            case PutOff(until_ms=until_ms):
                lane.defer(order, until_ms)
            case Wait():
                lane.give_back(order)
                return False
        return True

    def _still_clear(self, cycle: Cycle) -> list[Order]:
        """Of the orders the provider never saw, those that may be called; the others are refused for good."""
        cleared, self._cleared = self._cleared, []
        may_call = []
        for order in cleared:
            lane = self.lanes[order.partition]
            if report := obstacle(order, fences=lane.fences, now_ms=self._now_ms(lane)):
                self.settle(Finished(order=order, report=report), cycle)
            else:
                may_call.append(order)
        return may_call

    def _now_ms(self, lane: Lane) -> int:
        return self._clock.now_ms(lane.fences.heartbeat)
