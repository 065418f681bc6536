"""The course of an invocation: systems in turn round by round, then latency, then `step` alone, then the report."""

import argparse
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from deploy.local.plan import StackPlan
from deploy.local.stack import LocalStack
from schemas.transport.settings import KafkaSettings
from tests.bench.dataset import delete_all
from tests.bench.hardware import busy_warning, cores, hardware_line, stay_on
from tests.bench.latency import LATENCY, NOT_MEASURED, measure_latency
from tests.bench.micro import MICRO, Micro, measure_step
from tests.bench.process import ROOT
from tests.bench.report import Findings, table, write_results
from tests.bench.systems import SYSTEMS, chosen
from tests.bench.throughput import EVENTS, ROUNDS, Plan, Throughput, measure_throughput

LATENCY_SECONDS = 20
BROKER_HEAP_MIB = 1_024
FIGURES = ROOT / "build" / "bench.json"


def main(arguments: Sequence[str]) -> int:
    """Run the bench, print the table and write `build/bench.json`; 1 when a run of ours was void."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)  # so that nothing that we started outlives us
    print(f"seed {options.seed}; {hardware_line()}", flush=True)
    begun = time.monotonic()
    findings = _findings(options)
    print(f"\n{table(findings)}\n")
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps([row.as_json() for row in findings.rows()], indent=2) + "\n", encoding="utf-8")
    if options.write_results:
        write_results(findings, f"make bench SEED={options.seed} ARGS='{_arguments(options)}'")
    print(f"seed {options.seed}; {time.monotonic() - begun:.0f} s; figures in {FIGURES.relative_to(ROOT)}", flush=True)
    return int(findings.ours_is_void())


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Throughput and latency beside peers.")
    names = [*(system.name for system in SYSTEMS), LATENCY, MICRO]
    parser.add_argument("--seed", type=int, default=1, help="of the workload")
    parser.add_argument("--events", type=int, default=EVENTS, help="records of a throughput run")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each system")
    parser.add_argument("--only", action="append", choices=names, default=[], help="just this; may be repeated")
    parser.add_argument("--seconds", type=int, default=LATENCY_SECONDS, help="length of the steady load")
    parser.add_argument("--bootstrap", default="", help="use this broker instead of starting one")
    parser.add_argument("--write-results", action="store_true", help="write the results page anew")
    return parser


def _arguments(options: argparse.Namespace) -> str:
    only = "".join(f" --only {name}" for name in options.only)
    return f"--events {options.events} --rounds {options.rounds} --seconds {options.seconds}{only}"


def _findings(options: argparse.Namespace) -> Findings:
    harness_core, system_core = cores()
    stay_on(harness_core)
    micro = measure_step() if _is_wanted(MICRO, options) else Micro()
    hardware, warning = hardware_line(), busy_warning(os.getloadavg()[0], os.cpu_count() or 1)
    with _broker(options.bootstrap) as bootstrap:
        settings, invocation = KafkaSettings(bootstrap_servers=bootstrap), f"bench-{uuid.uuid4().hex[:8]}-"
        try:
            throughput, latency = Throughput(), NOT_MEASURED
            if systems := chosen(options.only):
                plan = Plan(seed=options.seed, events=options.events, rounds=options.rounds, core=system_core)
                throughput = measure_throughput(settings, invocation, plan, systems)
            if _is_wanted(LATENCY, options):
                prefix = f"{invocation}steady-"
                latency = measure_latency(
                    settings, prefix, seed=options.seed, seconds=options.seconds, core=system_core
                )
        finally:
            delete_all(settings, invocation)
    return Findings(
        seed=options.seed, hardware=hardware, warning=warning, throughput=throughput, latency=latency, micro=micro
    )


def _is_wanted(name: str, options: argparse.Namespace) -> bool:
    return not options.only or name in options.only


@contextmanager
def _broker(bootstrap: str) -> Iterator[str]:
    if bootstrap:
        yield bootstrap
        return
    print("starting a broker", flush=True)
    with LocalStack(StackPlan(redis=False, heap_mib=BROKER_HEAP_MIB)) as stack:
        yield stack.bootstrap_servers
