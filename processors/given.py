"""What `step` may be given: a customer's input, or one of four occasions that the engine brings about itself."""

from dataclasses import dataclass

from schemas.events import CustomerInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """An applied tick finds the customer's alarm due: judge everything due; the only occasion that releases (law 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudge:
    """Policy, stops or calendar data changed: find the alarm anew; emits nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A record of this customer was refused, or judging raised: hold everything (law 4)."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The quarantine is over: judge again from the next tick on."""


Given = CustomerInput | Wake | Rejudge | Quarantined | Released
