"""What `step` answers: the next state, when to be woken, and everything to emit."""

from dataclasses import dataclass

from processors.state import CustomerState
from schemas.identity import FenceKey
from schemas.outputs import DeadLetter, DecisionMade, FenceRaised, SendTouch, TaskOpened


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One answer of the core; `state` is the very object that came in when nothing changed.

    `alarm_at_ms` repeats `state.alarm_at_ms`: at or before the watermark means due at the next tick, None means never.
    """

    state: CustomerState
    alarm_at_ms: int | None
    commands: tuple[SendTouch, ...] = ()
    decisions: tuple[DecisionMade, ...] = ()
    tasks: tuple[TaskOpened, ...] = ()
    fences: tuple[FenceRaised, ...] = ()
    lifted: tuple[FenceKey, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
