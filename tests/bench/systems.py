"""The systems side by side: how each is started, what it guarantees, and who judges what it left."""

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from tests.bench.evidence import Evidence, judge_ours, judge_peer, judge_quix, judge_real_step
from tests.bench.hardware import BENCH_PYTHON
from tests.bench.validation import Expected

OUR_PYTHON = Path(sys.executable)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system under test.

    Attributes:
        guarantee: what a reader may believe of its outputs, for the table.
        judge: names the checks that a finished run fails.
        is_slow: whether it gets the short data set; a rate does not depend on the number of records.
        has_own_cadence: whether it commits as it likes instead of at the common cadence; only measured when asked for.
    """

    name: str
    module: str
    guarantee: str
    judge: Callable[[Evidence, Expected], tuple[str, ...]]
    python: Path = OUR_PYTHON
    is_slow: bool = False
    has_own_cadence: bool = False


HAND_LOOP = System(
    name="hand_loop",
    module="tests.bench.peers.hand_loop",
    guarantee="exactly once while it runs; states in memory, no restore, no rebalance, no fences: a bound",
    judge=judge_peer,
)
ENGINE = System(
    name="engine",
    module="tests.bench.ours",
    guarantee="exactly once through kills and rebalances; RocksDB; chain check, barriers, heartbeats, refusals",
    judge=judge_ours,
)
ENGINE_REAL_STEP = System(
    name="engine_real_step",
    module="tests.bench.ours_real",
    guarantee="the same with the real core under the preset policy",
    judge=judge_real_step,
)
QUIX = System(
    name="quix",
    module="tests.bench.peers.quix",
    guarantee="exactly once; RocksDB",
    judge=judge_quix,
    python=BENCH_PYTHON,
)
QUIX_DEFAULT = System(
    name="quix_default",
    module="tests.bench.peers.quix",
    guarantee="exactly once; RocksDB; commits every 5 s, which its wall time waits for",
    judge=judge_quix,
    python=BENCH_PYTHON,
    has_own_cadence=True,
)
FAUST = System(
    name="faust",
    module="tests.bench.peers.plain_faust",
    guarantee="at least once; states in memory",
    judge=judge_peer,
    is_slow=True,
)
OURS = frozenset({ENGINE, ENGINE_REAL_STEP})
SYSTEMS = (HAND_LOOP, ENGINE, QUIX, QUIX_DEFAULT, FAUST, ENGINE_REAL_STEP)


def chosen(names: Collection[str]) -> tuple[System, ...]:
    """Give the systems of these names; without names those at the common cadence."""
    if names:
        return tuple(system for system in SYSTEMS if system.name in names)
    return tuple(system for system in SYSTEMS if not system.has_own_cadence)
