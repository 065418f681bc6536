"""The orders of one partition: in order within a customer, side by side across customers, positions without a gap."""

import heapq
from collections import deque
from itertools import count

from connectors.fences import FenceTable
from connectors.ledger import Ledger
from connectors.orders import Order
from schemas.identity import CustomerId

BACKLOG_LIMIT = 500


class Lane:
    """What a channel owns of one partition; every order taken is given back by `finish`, or put off by `defer`."""

    def __init__(self, *, position: int, ledger: Ledger, fences: FenceTable) -> None:
        self.ledger, self.fences = ledger, fences
        self._committed = position
        self._seen_to = position
        self._open: deque[tuple[int, int]] = deque()
        self._done: set[int] = set()
        self._queues: dict[CustomerId, deque[Order]] = {}
        self._ready: deque[CustomerId] = deque()
        self._deferred: list[tuple[int, int, CustomerId]] = []
        self._sequence = count()

    def accept(self, order: Order) -> None:
        """Queue an order, given in offset order; what lies before the position is already done."""
        if order.offset < self._seen_to:
            return
        self._seen_to = order.offset + 1
        self._open.append((order.offset, order.appended_at_ms))
        queue = self._queues.get(order.command.customer_id)
        if queue is not None:
            queue.append(order)
            return
        self._queues[order.command.customer_id] = deque((order,))
        self._ready.append(order.command.customer_id)

    def take(self, now_ms: int) -> Order | None:
        """The next order whose customer has none under way, waking those put off until now."""
        while self._deferred and self._deferred[0][0] <= now_ms:
            self._ready.append(heapq.heappop(self._deferred)[2])
        if not self._ready:
            return None
        return self._queues[self._ready.popleft()][0]

    def defer(self, order: Order, until_ms: int) -> None:
        """Put a taken order off; its customer's later orders wait behind it."""
        heapq.heappush(self._deferred, (until_ms, next(self._sequence), order.command.customer_id))

    def give_back(self, order: Order) -> None:
        """Return a taken order to the front, untouched."""
        self._ready.appendleft(order.command.customer_id)

    def finish(self, order: Order) -> None:
        """Mark a taken order as done; its customer's next one becomes ready."""
        self._done.add(order.offset)
        queue = self._queues[order.command.customer_id]
        queue.popleft()
        if queue:
            self._ready.append(order.command.customer_id)
        else:
            del self._queues[order.command.customer_id]

    def advance(self) -> int | None:
        """The position after the contiguous done prefix, if it moved since it was last asked for."""
        while self._open and self._open[0][0] in self._done:
            self._done.discard(self._open.popleft()[0])
        if self.position == self._committed:
            return None
        self._committed = self.position
        return self._committed

    @property
    def position(self) -> int:
        """Where a successor would go on; negative before the first order of a partition without a position."""
        return self._open[0][0] if self._open else self._seen_to

    @property
    def has_ready(self) -> bool:
        """Whether an order may be taken now."""
        return bool(self._ready)

    @property
    def oldest_appended_at_ms(self) -> int | None:
        """When the oldest order that is not done was appended; None when there is none."""
        return self._open[0][1] if self._open else None

    @property
    def is_full(self) -> bool:
        """Whether no more should be fetched for now; done orders behind an open one count too."""
        return len(self._open) >= BACKLOG_LIMIT
