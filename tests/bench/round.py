"""One run of one system: start it, watch its committed positions reach the end, kill it, and judge what it left."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from schemas.transport.settings import KafkaSettings
from tests.bench.contender import Orders
from tests.bench.dataset import Dataset, create_run_topics
from tests.bench.evidence import Evidence
from tests.bench.process import Contender, Unfinished, running
from tests.bench.progress import Progress, Seen
from tests.bench.systems import System

WARM = 0.1
LEAST_SPAN = 0.3
DONE_WITHIN_S = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run of one system took, or why it has no speed.

    `wall_s` runs from the commit that covers a tenth to the last but one that was seen, `covered` records in between:
    the first tenth is warming up, the last commit would charge some with the wait for their own timer. `cpu_s` runs
    from the first decoded record to the last commit.
    """

    system: str
    records: int
    covered: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    failed: tuple[str, ...] = ()

    @property
    def is_void(self) -> bool:
        """Whether a check failed, so that this run has no speed."""
        return bool(self.failed)

    @property
    def per_second(self) -> float:
        """Records a second of wall time."""
        return self.covered / self.wall_s

    @property
    def per_cpu_second(self) -> float:
        """Records a second of the system's own processor time."""
        return self.records / self.cpu_s


def measure(settings: KafkaSettings, system: System, dataset: Dataset, orders: Orders) -> Measured:
    """Run a system over a data set once; a run that fails a check comes back void."""
    if not system.python.exists():
        return Measured(system=system.name, records=dataset.records, failed=("no .venv-bench: run make bench-setup",))
    output = create_run_topics(settings, dataset.prefix, orders.application, dataset.partitions)
    folder = Path(tempfile.mkdtemp(prefix="perennial-bench-"))
    orders = msgspec.structs.replace(orders, output=output, folder=str(folder))
    evidence = Evidence.before(settings, orders)
    try:
        with running(system.python, system.module, orders) as contender:
            measured = _timed(contender, Progress(settings, orders.group, dataset.ends), system, dataset.records)
    except Unfinished as unfinished:
        return Measured(system=system.name, records=dataset.records, failed=(str(unfinished),))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return replace(measured, failed=system.judge(evidence, dataset.expected))


def _timed(contender: Contender, progress: Progress, system: System, records: int) -> Measured:
    first = contender.first()
    contender.wait_until(lambda: progress.look() >= 1, DONE_WITHIN_S, "did not commit the last record")
    contender.end()
    begin, end = measured_span(Seen(share=0.0, at_ns=first.at_ns), progress.steps)
    return Measured(
        system=system.name,
        records=records,
        covered=(end.share - begin.share) * records,
        wall_s=(end.at_ns - begin.at_ns) / 1e9,
        cpu_s=contender.used_cpu_s - first.cpu_s,
    )


def measured_span(first: Seen, steps: Sequence[Seen]) -> tuple[Seen, Seen]:
    """Choose what is timed among the commits that were seen; all of it where a system commits too rarely to choose."""
    begin = next(seen for seen in steps if seen.share >= WARM)
    end = steps[-2] if len(steps) > 1 else begin
    return (begin, end) if end.share - begin.share >= LEAST_SPAN else (first, steps[-1])
