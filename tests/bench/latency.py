"""W3 in short: 1,000 events/s over all input topics and 12 co-partitions, timed from publish to committed decision.

The reader sees committed records only, so what it notes is an upper bound of append to commit.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.topics import DECISION
from schemas.transport.positions import Positions
from schemas.transport.reader import PartitionReader
from schemas.transport.records import Position, TopicPartition
from schemas.transport.settings import KafkaSettings
from tests.bench.contender import Orders
from tests.bench.dataset import create_catalogue, create_run_topics
from tests.bench.evidence import Evidence, judge_ours
from tests.bench.figures import Row, percentile
from tests.bench.process import Contender, Unfinished, running
from tests.bench.steady import RATE_PER_S, SteadyLoad
from tests.bench.systems import ENGINE
from tests.bench.work import decode_decision

LATENCY = "latency"
PARTITIONS = 12
WARM_UP_S, SETTLED_WITHIN_S = 5, 60
CLOCK_MODULE = "tests.bench.ticking"
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long decisions took in milliseconds, what the worker used meanwhile in cores, or which checks failed."""

    samples_ms: tuple[float, ...] = ()
    cores: float = 0.0
    failed: tuple[str, ...] = ()
    was_measured: bool = True

    def rows(self) -> Iterator[Row]:
        """Give the percentiles; their values are None when the run was void."""
        for name, share in SHARES.items() if self.was_measured else ():
            value = round(percentile(self.samples_ms, share), 1) if self.samples_ms and not self.failed else None
            yield Row(name=f"decision_latency_ms_{name}", value=value, unit="ms")
        if self.was_measured:
            yield Row(name="steady_worker_cores", value=round(self.cores, 2) or None, unit="cores")


NOT_MEASURED = Latency(was_measured=False)


def measure_latency(settings: KafkaSettings, prefix: str, *, seed: int, seconds: int, core: int) -> Latency:
    """Run one worker and one clock under the steady load and time its decisions."""
    print(f"latency: {RATE_PER_S:,} events/s for {seconds} s", flush=True)
    create_catalogue(settings, prefix, PARTITIONS)
    output = create_run_topics(settings, prefix, LATENCY, PARTITIONS)
    folder = Path(tempfile.mkdtemp(prefix="perennial-bench-"))
    orders = Orders(
        bootstrap_servers=settings.bootstrap_servers,
        prefix=prefix,
        application=LATENCY,
        partitions=PARTITIONS,
        cadence=0,
        folder=str(folder),
        output=output,
        core=core,
    )
    try:
        return _measured(settings, orders, seed, seconds)
    except Unfinished as unfinished:
        print(f"latency void: {unfinished}", flush=True)
        return Latency(failed=(str(unfinished),))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(settings: KafkaSettings, orders: Orders, seed: int, seconds: int) -> Latency:
    evidence = Evidence.before(settings, orders)
    load = SteadyLoad.to(settings, orders.prefix, seed)
    with (
        running(ENGINE.python, CLOCK_MODULE, orders),
        running(ENGINE.python, ENGINE.module, orders) as worker,
        _noting(settings, orders) as seen_at_ns,
    ):
        load.send(1)
        first = worker.first()
        load.send(WARM_UP_S * RATE_PER_S)
        _settle(worker, load, seen_at_ns)
        warm = len(load.sent_at_ns)
        load.send(seconds * RATE_PER_S)
        _settle(worker, load, seen_at_ns)
        worker.end()
        cores = (worker.used_cpu_s - first.cpu_s) * 1e9 / (time.monotonic_ns() - first.at_ns)
        failed = judge_ours(evidence, load.expected)
        timed = dict(list(load.sent_at_ns.items())[warm:])
        return Latency(samples_ms=_samples_ms(timed, seen_at_ns), cores=cores, failed=failed)


def _settle(worker: Contender, load: SteadyLoad, seen_at_ns: Mapping[str, int]) -> None:
    due = load.expected.outputs()
    worker.wait_until(lambda: len(seen_at_ns) >= due, SETTLED_WITHIN_S, "did not commit every decision")


def _samples_ms(sent_at_ns: Mapping[str, int], seen_at_ns: Mapping[str, int]) -> tuple[float, ...]:
    return tuple((seen_at_ns[one] - at_ns) / 1e6 for one, at_ns in sent_at_ns.items() if one in seen_at_ns)


@contextmanager
def _noting(settings: KafkaSettings, orders: Orders) -> Iterator[dict[str, int]]:
    """Note in a thread when each committed decision arrives, by the event that it names."""
    seen_at_ns: dict[str, int] = {}
    tps = [TopicPartition(orders.prefix + DECISION, partition) for partition in range(orders.partitions)]
    ends = Positions(settings).end_offsets(tps)
    is_over = threading.Event()

    def note() -> None:
        with PartitionReader(settings) as reader:
            reader.assign(Position(*tp, offset) for tp, offset in ends.items())
            while not is_over.is_set():
                records = reader.poll(within_ms=50)
                at_ns = time.monotonic_ns()
                for record in records:
                    seen_at_ns[decode_decision(record.value).detail] = at_ns

    thread = threading.Thread(target=note, name="noting")
    thread.start()
    try:
        yield seen_at_ns
    finally:
        is_over.set()
        thread.join()
