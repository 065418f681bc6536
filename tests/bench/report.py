"""What a person reads: ratios beside their targets, then rates, then every void run; and the page that keeps them."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Row
from tests.bench.latency import Latency
from tests.bench.micro import Micro
from tests.bench.systems import SYSTEMS
from tests.bench.throughput import CADENCE, PARTITIONS, Throughput

RESULTS = Path(__file__).with_name("RESULTS.md")
# figure -> (comparison, bound), from the targets of the design
TARGETS = {
    "engine_vs_hand_loop": (">=", 0.8),
    "engine_vs_faust": (">=", 12.0),
    "engine_vs_quix": (">", 1.0),
    "engine_real_step_events_per_second": (">=", 15_000.0),
    "decision_latency_ms_p95": ("<", 500.0),
    "step_wake_us": ("<=", 50.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that one invocation found."""

    seed: int
    hardware: str
    warning: str
    throughput: Throughput
    latency: Latency
    micro: Micro

    def rows(self) -> tuple[Row, ...]:
        """Give every figure, ratios first."""
        return (*self.throughput.rows(), *self.latency.rows(), *self.micro.rows())

    def ours_is_void(self) -> bool:
        """Tell whether anything of ours failed a check."""
        return self.throughput.ours_is_void() or bool(self.latency.failed)


def table(findings: Findings) -> str:
    """Give the findings as Markdown, readable in a terminal too."""
    parts = [findings.warning, _figures(findings.rows()), _systems(findings.throughput), _voids(findings)]
    return "\n\n".join(part for part in parts if part)


def write_results(findings: Findings, command: str) -> Path:
    """Write the results page anew and return its path."""
    RESULTS.write_text(
        f"# Results\n\nOne invocation, all systems in turn in the same run: `{command}`\n\n"
        f"Seed {findings.seed}. {findings.hardware}.\n\n{table(findings)}\n\n{_NOTES}\n",
        encoding="utf-8",
    )
    return RESULTS


def verdict(row: Row) -> str:
    """Say how a figure stands to its target: empty where it has none."""
    if row.name not in TARGETS:
        return ""
    comparison, bound = TARGETS[row.name]
    figure = row.ratio if row.peer and not row.name.startswith("step_") else row.value
    if figure is None:
        return f"{comparison} {bound:g}: not measured"
    met = {">=": figure >= bound, ">": figure > bound, "<": figure < bound, "<=": figure <= bound}[comparison]
    return f"{comparison} {bound:g}: {'met' if met else 'MISSED'}"


def _figures(rows: tuple[Row, ...]) -> str:
    if not rows:
        return ""
    lines = ["| figure | value | unit | peer | its value | ratio | target |", "|---|---:|---|---|---:|---:|---|"]
    lines += [
        f"| {row.name} | {_number(row.value)} | {row.unit} | {row.peer or ''} | {_number(row.peer_value)} "
        f"| {_number(row.ratio)} | {verdict(row)} |"
        for row in rows
    ]
    return "\n".join(lines)


def _systems(throughput: Throughput) -> str:
    names = throughput.names()
    if not names:
        return ""
    guarantees = {system.name: system.guarantee for system in SYSTEMS}
    lines = ["| system | events/s, median [min-max] | events/CPU-s | guarantee |", "|---|---:|---:|---|"]
    lines += [
        f"| {name} | {throughput.wall(name) or 'void'} | {throughput.cpu(name) or 'void'} | {guarantees[name]} |"
        for name in names
    ]
    return "\n".join(lines)


def _voids(findings: Findings) -> str:
    voids = [f"- {run.system}: {_in_short(run.failed)}" for run in findings.throughput.runs if run.is_void]
    if findings.latency.failed:
        voids.append(f"- latency: {_in_short(findings.latency.failed)}")
    return "\n".join(["Void runs (a run that fails a check has no speed):", "", *voids]) if voids else ""


def _in_short(failed: tuple[str, ...]) -> str:
    """Give the checks without the log that may follow the first line; it was printed when the run ended."""
    return "; ".join(one.partition("; the end of its log:")[0] for one in failed)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:g}"


_NOTES = f"""How it is measured: the same published records for all ({PARTITIONS} partitions, four topics, 400 to 500
bytes of Avro, 2% repeats, 1% late versions), the same decoding, state content and outputs (`work.py`), a commit each
{CADENCE:,} records for the peers; ours commits once per poll and co-partition. Broker and harness stay on one core, the
system under test on another. Wall time runs from the commit that covers a tenth of all to the last commit but one;
processor time is the system's own, from its first record to its last commit. Every run is checked: outputs complete,
single, in order, states right. Not measured here: Kafka Streams, bursts, recovery, rebalance and memory."""
