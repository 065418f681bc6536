"""One touch as evidence alone calls for it: its windows, what forbade it, and how sure that is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from schemas.events import ContractChanged
from tests.oracle.facts import Fact, Span
from tests.oracle.placements import Placement
from tests.oracle.policy import CadenceStep


class TouchId(NamedTuple):
    """One touch, whatever its revision."""

    contract_id: str
    term_id: str
    step: str
    channel: str


class Verdict(StrEnum):
    """What evidence alone says about a touch."""

    MUST = "must"
    MUST_NOT = "must_not"
    EITHER = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One touch as it had to go; `opens_ms`, `target_ms`, `closes_ms` are those of the window that decides.

    What takes effect after `decides_ms` comes too late to change anything: on the virtual clock, which waits for
    whoever is down, the first tick within the send hours; on the real one the window's close.
    """

    touch: TouchId
    customer_id: str
    partition: int
    step: CadenceStep
    verdict: Verdict
    opens_ms: int
    target_ms: int
    decides_ms: int
    closes_ms: int
    placements: tuple[Placement, ...]
    blockers: tuple[Span, ...]
    versions: tuple[Fact, ...]
    is_due: bool
    delivery_class: str = "at_least_once"

    @property
    def order(self) -> int:
        """Place of the step in its cadence, 0 first."""
        return self.step.order

    def contracts_at(self, decided_ms: int, until_ms: int) -> tuple[ContractChanged, ...]:
        """Every contract version that a touch decided at an instant, and appended by another, may be bound to."""
        newest: ContractChanged | None = None
        open_to_doubt: list[ContractChanged] = []
        for fact in self.versions:
            record = fact.record
            if not isinstance(record, ContractChanged):
                continue
            if fact.certain_ms <= decided_ms:
                newest = record if newest is None or record.version > newest.version else newest
            elif fact.appended_at_ms <= until_ms:
                open_to_doubt.append(record)
        return tuple(([newest] if newest is not None else []) + open_to_doubt)
