"""The last look right before the write: is the intent young, the heartbeat fresh, no fence raised, the window open?"""

import time
from collections.abc import Callable

from connectors.delivery.judging import fenced
from connectors.fences import Clock, FenceTable
from connectors.orders import Order
from connectors.ports import Withheld
from schemas.vocabulary import ReceiptReason

INTENT_FRESH_FOR_MS = 3_000
MonotonicMs = Callable[[], int]


def monotonic_ms() -> int:
    """A clock that nobody sets; ages of our own intents are measured by it, on virtual runs too."""
    return time.monotonic_ns() // 1_000_000


class CallGate:
    """One order's last look; `begun_at_ms` is the monotonic instant before its intent was committed."""

    def __init__(
        self,
        order: Order,
        *,
        fences: FenceTable,
        clock: Clock,
        begun_at_ms: int,
        elapsed: MonotonicMs = monotonic_ms,
    ) -> None:
        self._order, self._fences, self._clock = order, fences, clock
        self._begun_at_ms, self._elapsed = begun_at_ms, elapsed
        self.heartbeat_at_ms = 0
        self.called_at_ms = 0

    def check(self) -> None:
        """Return only if the call may be made now; notes the heartbeat that allowed it. Raises Withheld."""
        if self._elapsed() - self._begun_at_ms > INTENT_FRESH_FOR_MS:
            raise Withheld(ReceiptReason.INTENT_TOO_OLD)
        heartbeat = self._fences.heartbeat
        if heartbeat is None or not self._clock.believes(heartbeat):
            raise Withheld(ReceiptReason.INTENT_TOO_OLD, "the heartbeat is stale")
        fence = self._fences.standing(self._order.fence_keys)
        if fence is not None:
            report = fenced(fence)
            raise Withheld(report.reason, report.detail)
        now_ms = self._clock.now_ms(heartbeat)
        if now_ms > self._order.command.send_by_at_ms:
            raise Withheld(ReceiptReason.PAST_SEND_BY)
        self.heartbeat_at_ms, self.called_at_ms = heartbeat.fresh_at_ms, now_ms
