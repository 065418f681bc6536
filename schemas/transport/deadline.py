"""Trying again until a deadline, for calls that the client leaves to us to repeat."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaException

from schemas.transport.errors import error_of, is_passing, translated

_PAUSE_S = 0.05
Answer = TypeVar("Answer")


class Deadline:
    """An instant of the monotonic clock by which a call must have succeeded."""

    def __init__(self, within_ms: int) -> None:
        """Start counting now."""
        self._at_s = time.monotonic() + within_ms / 1000

    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._at_s - time.monotonic())

    def has_passed(self) -> bool:
        """Tell whether no time is left."""
        return time.monotonic() >= self._at_s

    def pause(self) -> None:
        """Give the broker a moment, but not beyond the deadline."""
        time.sleep(min(_PAUSE_S, self.remaining_s()))


def until(within_ms: int, doing: str, call: Callable[[float], Answer]) -> Answer:
    """Call with the seconds left until it succeeds, fails for good, or the deadline passes; errors come out as ours."""
    deadline = Deadline(within_ms)
    while True:
        try:
            return call(deadline.remaining_s())
        except KafkaException as raised:
            error = error_of(raised)
            if deadline.has_passed() or not is_passing(error):
                raise translated(error, doing) from raised
            deadline.pause()
