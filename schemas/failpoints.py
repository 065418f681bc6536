"""Named places at which a test may kill, hang, delay or fail a process; nothing happens unless `arm` was called.

`PERENNIAL_FAILPOINTS=engine.before_commit=kill@3,delivery.during_call=hang` reads: name = kill, raise, hang, exit or
delay:ms, at the nth pass (the first, when not given). One pass, one effect.
"""

import os
import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import PerennialError

ENGINE = (
    "engine.before_begin",
    "engine.after_produce",
    "engine.before_send_offsets",
    "engine.before_commit",
    "engine.after_commit_before_store",
    "engine.between_tick_chunks",
    "engine.restore_after_fence",
    "engine.restore_mid_changelog",
)
DELIVERY = (
    "delivery.before_intents",
    "delivery.after_intents",
    "delivery.before_call",
    "delivery.during_call",
    "delivery.after_accept_before_result",
    "delivery.after_result_begun",
    "delivery.after_result_commit",
)
NAMES = frozenset(ENGINE + DELIVERY)
EXIT_STATUS = 99
_ACTIONS = frozenset({"kill", "raise", "hang", "exit", "delay"})


class FailpointHit(PerennialError):
    """A failpoint was told to raise."""


class FailpointUnknown(PerennialError):
    """The environment names a failpoint or an action that does not exist."""


@dataclass(slots=True)
class _Armed:
    """One armed failpoint; `passes_left` counts down to its effect."""

    action: str
    delay_ms: int
    passes_left: int


_armed: dict[str, _Armed] = {}
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Pass a place by its constant name; free when nothing is armed."""
    if _armed:
        _pass(name)


def arm(spec: str) -> tuple[str, ...]:
    """Arm what a specification lists (empty: nothing) and tell the names; raises FailpointUnknown on a typo."""
    _armed.clear()
    _armed.update(_parsed(part) for part in spec.split(",") if part.strip())
    return active()


def active() -> tuple[str, ...]:
    """Tell which failpoints are armed, for the log, the metrics and `doctor`."""
    return tuple(sorted(_armed))


def _parsed(part: str) -> tuple[str, _Armed]:
    name, _, effect = part.strip().partition("=")
    effect, _, nth = effect.partition("@")
    action, _, delay = effect.partition(":")
    if name not in NAMES or action not in _ACTIONS:
        raise FailpointUnknown(
            f"{part!r}: write name=action, with a name of {_listed(NAMES)}, action {_listed(_ACTIONS)}"
        )
    return name, _Armed(action=action, delay_ms=int(delay or 0), passes_left=int(nth or 1))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _pass(name: str) -> None:
    with _lock:
        armed = _armed.get(name)
        if armed is None:
            return
        armed.passes_left -= 1
        if armed.passes_left != 0:
            return
    _take_effect(name, armed)


def _take_effect(name: str, armed: _Armed) -> None:
    match armed.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(EXIT_STATUS)
        case "hang":
            threading.Event().wait()
        case "delay":
            time.sleep(armed.delay_ms / 1000)
        case _:
            raise FailpointHit(f"failpoint {name} was told to raise")
