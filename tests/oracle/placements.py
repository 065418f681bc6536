"""The windows of one term over time: what was in force when, under which version, zone and policy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from schemas.events import ContractChanged, CustomerChanged
from tests.oracle.calendar import zone_of
from tests.oracle.facts import Fact
from tests.oracle.policy import Policy
from tests.oracle.timeline import NEVER_MS, Timeline
from tests.oracle.windows import Window, place_windows, slots


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFact:
    """One policy of a partition and when it came into force."""

    policy: Policy
    certain_ms: int
    possible_ms: int
    appended_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A stretch in which nothing that places a term's windows changed."""

    contract: ContractChanged
    zone: str
    policy: Policy
    certain_from_ms: int
    possible_from_ms: int
    certain_to_ms: int = NEVER_MS
    possible_to_ms: int = NEVER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One window of one step, and the stretch in which it was in force."""

    window: Window
    zone: str
    policy: Policy
    certain_from_ms: int
    possible_from_ms: int
    certain_to_ms: int
    possible_to_ms: int

    @property
    def was_closed_when_placed(self) -> bool:
        """Whether nothing could ever leave: the window was over before anybody knew of it."""
        return self.window.closes_ms <= self.certain_from_ms

    def holds_at(self, now_ms: int) -> bool:
        """Whether this placement may have been in force at an instant."""
        return self.possible_from_ms <= now_ms < self.possible_to_ms

    def surely_holds_at(self, now_ms: int) -> bool:
        """Whether nothing that may have been applied by an instant had ended this placement."""
        return self.possible_from_ms <= now_ms < self.certain_to_ms

    def slots_from(self, from_ms: int) -> tuple[tuple[int, int], ...]:
        """Send hours left in the window from an instant on."""
        return slots(max(from_ms, self.window.opens_ms), self.window.closes_ms, self.zone, self.policy)


def epochs(
    versions: Iterable[Fact], customers: Iterable[Fact], policies: Iterable[PolicyFact], timeline: Timeline
) -> tuple[Epoch, ...]:
    """Follow a term through all that places its windows; stretches into which no tick falls are left out."""
    found = list(_closed(_changes(versions, customers, policies)))
    return tuple(epoch for epoch in found if timeline.has_tick_within(epoch.possible_from_ms, epoch.possible_to_ms))


def placements(epochs_of_term: Iterable[Epoch]) -> dict[str, tuple[Placement, ...]]:
    """Name every step's windows in time order; stretches that follow each other with the same window are one.

    A step that a policy drops and a later one brings back is placed anew.
    """
    found: dict[str, list[Placement]] = {}
    standing: set[str] = set()
    for epoch in epochs_of_term:
        windows = place_windows(epoch.contract.expires_on, epoch.zone, epoch.policy)
        for window in windows:
            name, placement = window.step.name, _placement(window, epoch)
            if name in standing:
                _append(found[name], placement)
            else:
                found.setdefault(name, []).append(placement)
        standing = {window.step.name for window in windows}
    return {step: tuple(of_step) for step, of_step in found.items()}


def _append(of_step: list[Placement], placement: Placement) -> None:
    last = of_step[-1]
    if last.window == placement.window and last.zone == placement.zone:
        of_step[-1] = replace(
            last,
            certain_to_ms=placement.certain_to_ms,
            possible_to_ms=placement.possible_to_ms,
            policy=placement.policy,
        )
    else:
        of_step.append(placement)


def _placement(window: Window, epoch: Epoch) -> Placement:
    return Placement(
        window=window,
        zone=epoch.zone,
        policy=epoch.policy,
        certain_from_ms=epoch.certain_from_ms,
        possible_from_ms=epoch.possible_from_ms,
        certain_to_ms=epoch.certain_to_ms,
        possible_to_ms=epoch.possible_to_ms,
    )


def _changes(versions: Iterable[Fact], customers: Iterable[Fact], policies: Iterable[PolicyFact]) -> Iterator[Epoch]:
    contract: ContractChanged | None = None
    policy: Policy | None = None
    zone, customer_version = "", -1
    changes: list[Fact | PolicyFact] = [*versions, *customers, *policies]
    for change in sorted(changes, key=lambda one: (one.certain_ms, one.appended_at_ms)):
        if isinstance(change, PolicyFact):
            if policy is not None and change.policy.number <= policy.number:
                continue
            policy = change.policy
        elif isinstance(record := change.record, ContractChanged):
            if contract is not None and record.version <= contract.version:
                continue
            contract = record
        elif isinstance(record, CustomerChanged):
            if record.version <= customer_version:
                continue
            zone, customer_version = record.zone, record.version
        if contract is not None and policy is not None:
            yield Epoch(
                contract=contract,
                zone=zone if zone_of(zone) else policy.default_zone,
                policy=policy,
                certain_from_ms=change.certain_ms,
                possible_from_ms=change.possible_ms,
            )


def _closed(opened: Iterator[Epoch]) -> Iterator[Epoch]:
    """End each stretch where the next begins."""
    found = list(opened)
    for epoch, following in pairwise(found):
        yield replace(epoch, certain_to_ms=following.possible_from_ms, possible_to_ms=following.certain_from_ms)
    yield from found[-1:]
