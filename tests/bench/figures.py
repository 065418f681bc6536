"""Rounds into figures: medians, ratios and percentiles, and the rows of `build/bench.json`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One quantity over the valid rounds of a run."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarise at least one value."""
        return cls(median=median(values), least=min(values), most=max(values))

    def __str__(self) -> str:
        return f"{self.median:,.0f} [{self.least:,.0f}-{self.most:,.0f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure as a script judges it; `ratio` is ours over the peer's, or None where there is no peer.

    `value` is None where every round was void.
    """

    name: str
    value: float | None
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None

    def as_json(self) -> dict[str, float | str | None]:
        """Give the row as it is written."""
        return asdict(self)


def ratio_row(name: str, ours: Spread | None, peer: str, theirs: Spread | None, unit: str) -> Row:
    """Set our median beside a peer's of the same run; without both there is no ratio."""
    value = ours.median if ours else None
    peer_value = theirs.median if theirs else None
    ratio = round(value / peer_value, 3) if value and peer_value else None
    return Row(name=name, value=value, unit=unit, peer=peer, peer_value=peer_value, ratio=ratio)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that at least `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
