"""W1: the same backlog for every system, in turn, round by round; rates as medians, and their ratios."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.transport.settings import KafkaSettings
from tests.bench.contender import Orders
from tests.bench.dataset import Dataset, publish
from tests.bench.figures import Row, Spread, ratio_row
from tests.bench.round import Measured, measure
from tests.bench.systems import ENGINE, ENGINE_REAL_STEP, FAUST, HAND_LOOP, QUIX, QUIX_DEFAULT, System
from tests.bench.workload import Workload

EVENTS, ROUNDS, CADENCE, PARTITIONS = 100_000, 3, 2_000, 4
SHORT_SHARE = 5
WHOLE = CADENCE * SHORT_SHARE  # so that neither data set ends inside somebody's commit
WALL, CPU = "events/s", "events/CPU-s"
PEERS = (HAND_LOOP, FAUST, QUIX, QUIX_DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure: `events` are rounded to whole commits; a slow system gets a fifth of them."""

    seed: int
    events: int = EVENTS
    rounds: int = ROUNDS
    core: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Every run of an invocation in order, void ones included."""

    runs: tuple[Measured, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Give the systems that ran, in order."""
        return tuple(dict.fromkeys(run.system for run in self.runs))

    def wall(self, name: str) -> Spread | None:
        """Summarise a system's valid runs by wall time; None when there are none."""
        return _spread([run.per_second for run in self.runs if run.system == name and not run.is_void])

    def cpu(self, name: str) -> Spread | None:
        """Summarise a system's valid runs by its processor time; None when there are none."""
        return _spread([run.per_cpu_second for run in self.runs if run.system == name and not run.is_void])

    def rows(self) -> Iterator[Row]:
        """Give ratios first, then absolute figures."""
        ours = ENGINE.name
        for peer in PEERS:
            if ours in self.names() and peer.name in self.names():
                name = f"engine_vs_{peer.name}"
                yield ratio_row(name, self.wall(ours), peer.name, self.wall(peer.name), WALL)
                yield ratio_row(f"{name}_cpu", self.cpu(ours), peer.name, self.cpu(peer.name), CPU)
        for name in self.names():
            wall, cpu = self.wall(name), self.cpu(name)
            yield Row(name=f"{name}_events_per_second", value=wall.median if wall else None, unit=WALL)
            yield Row(name=f"{name}_events_per_cpu_second", value=cpu.median if cpu else None, unit=CPU)

    def ours_is_void(self) -> bool:
        """Tell whether a run of ours failed a check."""
        return any(run.is_void for run in self.runs if run.system in {ENGINE.name, ENGINE_REAL_STEP.name})


def measure_throughput(settings: KafkaSettings, invocation: str, plan: Plan, systems: Sequence[System]) -> Throughput:
    """Publish the data sets that are needed and run every system `rounds` times, alternating."""
    events = max(1, round(plan.events / WHOLE)) * WHOLE
    datasets = {is_slow: _published(settings, invocation, plan, events, is_slow) for is_slow in _speeds(systems)}
    runs = []
    for number in range(1, plan.rounds + 1):
        for system in systems:
            dataset = datasets[system.is_slow]
            run = measure(settings, system, dataset, _orders(settings, system, dataset, number, plan))
            print(f"round {number} of {plan.rounds}: {_line(run)}", flush=True)
            runs.append(run)
    return Throughput(runs=tuple(runs))


def _speeds(systems: Sequence[System]) -> tuple[bool, ...]:
    return tuple(sorted({system.is_slow for system in systems}))


def _published(
    settings: KafkaSettings,
    invocation: str,
    plan: Plan,
    events: int,
    is_slow: bool,  # noqa: FBT001  a key of ours
) -> Dataset:
    records = events // SHORT_SHARE if is_slow else events
    print(f"publishing {records:,} events", flush=True)
    prefix = f"{invocation}{'short' if is_slow else 'full'}-"
    return publish(settings, Workload(seed=plan.seed, records=records), prefix, PARTITIONS)


def _orders(settings: KafkaSettings, system: System, dataset: Dataset, number: int, plan: Plan) -> Orders:
    return Orders(
        bootstrap_servers=settings.bootstrap_servers,
        prefix=dataset.prefix,
        application=f"{system.name.replace('_', '-')}-{number}",
        partitions=dataset.partitions,
        cadence=0 if system.has_own_cadence else CADENCE,
        folder="",
        core=plan.core,
    )


def _line(run: Measured) -> str:
    if run.is_void:
        return f"{run.system:17} void: {'; '.join(run.failed)}"
    return f"{run.system:17} {run.per_second:9,.0f} events/s {run.per_cpu_second:9,.0f} events/CPU-s"


def _spread(values: list[float]) -> Spread | None:
    return Spread.of(values) if values else None
