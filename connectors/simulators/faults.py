"""Which fault a simulator draws: by a rule for the recipient, else by chance, the same for the same seed and call."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SLOW_MS = 2_000


class Fault(StrEnum):
    """What a provider can do to a call."""

    NONE = "none"
    BUSY = "busy"
    REFUSE = "refuse"
    TIMEOUT = "timeout"
    DROP = "drop"
    SLOW = "slow"

    @property
    def is_accepted(self) -> bool:
        """Whether the provider acts on the call nevertheless."""
        return self in {Fault.NONE, Fault.DROP, Fault.SLOW}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A fault and, for a slow answer, its delay."""

    fault: Fault
    delay_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Rules come first, in order; then each fault with its probability."""

    seed: int = 1
    chances: Mapping[Drawn, float] = field(default_factory=dict)
    rules: tuple[tuple[re.Pattern[str], Drawn], ...] = ()

    def draw(self, *, key: str, attempt: int, call: int, recipient: str) -> Drawn:
        """The fault of one call; `call` counts the calls with this key and attempt."""
        for pattern, drawn in self.rules:
            if pattern.search(recipient):
                return drawn
        chance = random.Random(f"{self.seed}|{key}|{attempt}|{call}").random()
        for drawn, share in self.chances.items():
            if chance < share:
                return drawn
            chance -= share
        return Drawn(Fault.NONE)


def parse_faults(*, seed: int, chances: str = "", rules: tuple[str, ...] = ()) -> Faults:
    """Read `busy=0.05,slow=0.1:250` and rules such as `bad@.*=refuse`; ValueError says what is wrong."""
    return Faults(
        seed=seed,
        chances=dict(_chance(part) for part in chances.split(",") if part.strip()),
        rules=tuple(_rule(rule) for rule in rules),
    )


def _chance(part: str) -> tuple[Drawn, float]:
    name, _, share = part.strip().partition("=")
    share, _, delay = share.partition(":")
    return _drawn(name, delay), float(share)


def _rule(rule: str) -> tuple[re.Pattern[str], Drawn]:
    pattern, _, effect = rule.rpartition("=")
    name, _, delay = effect.partition(":")
    return re.compile(pattern), _drawn(name, delay)


def _drawn(name: str, delay: str) -> Drawn:
    fault = Fault(name)
    return Drawn(fault, int(delay) if delay else SLOW_MS if fault is Fault.SLOW else 0)
