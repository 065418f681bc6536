"""One run of one system: start it, watch its committed positions reach the end, kill it, and judge what it left."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from schemas.transport.settings import KafkaSettings
from tests.bench.contender import Orders
from tests.bench.dataset import Dataset, create_run_topics
from tests.bench.evidence import Evidence
from tests.bench.process import Contender, Unfinished, running
from tests.bench.progress import Progress
from tests.bench.systems import System

MOST = 0.9
DONE_WITHIN_S = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run of one system took, or why it has no speed.

    `wall_s` runs from its first decoded record to the acknowledged commit that covers nine tenths of all (`covered`
    records): the last tenth would charge some with the wait for their own commit timer. `cpu_s` runs to the last one.
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
    most_ns = contender.wait_until(lambda: progress.look() >= MOST, DONE_WITHIN_S, "did not commit most records")
    covered = progress.seen * records
    contender.wait_until(lambda: progress.look() >= 1, DONE_WITHIN_S, "did not commit the last record")
    contender.end()
    return Measured(
        system=system.name,
        records=records,
        covered=covered,
        wall_s=(most_ns - first.at_ns) / 1e9,
        cpu_s=contender.used_cpu_s - first.cpu_s,
    )
