"""The line under every table: what it ran on, how busy that was, and which versions."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

BENCH_PYTHON = Path(__file__).parents[2] / ".venv-bench" / "bin" / "python"

OURS = ("confluent-kafka", "faust-streaming", "fastavro", "msgspec", "rocksdict")


def hardware_line() -> str:
    """Describe processor, cores, load average and versions."""
    load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
    ours = ", ".join(f"{name} {_version(name)}" for name in OURS)
    return (
        f"{processor()}, {os.cpu_count()} cores, load average {load}; Linux {platform.release()}, "
        f"Python {platform.python_version()}, {ours}; beside: {_peers()}"
    )


def busy_warning(load: float, core_count: int) -> str:
    """Warn when others kept the machine busy before the bench began; empty when it was free."""
    if load <= core_count / 2:
        return ""
    return (
        f"The machine was busy before the bench began: load average {load:.1f} on {core_count} cores. Wall figures and "
        "latency then tell of the others; events per CPU-second still compare, roughly."
    )


def processor() -> str:
    """Name the processor's model."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> tuple[int, int]:
    """Give the core for broker and harness and the one for the system under test; -1, -1 where there is only one."""
    if not hasattr(os, "sched_getaffinity"):
        return -1, -1
    ours = sorted(os.sched_getaffinity(0))
    return (ours[0], ours[-1]) if len(ours) > 1 else (-1, -1)


def stay_on(core: int) -> None:
    """Keep this process, and what it starts, on one core; a negative one means any."""
    if core >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _peers() -> str:
    if not BENCH_PYTHON.exists():
        return "no .venv-bench (make bench-setup)"
    code = "from importlib.metadata import version as v; print(v('quixstreams'), v('confluent-kafka'))"
    said = subprocess.run([str(BENCH_PYTHON), "-c", code], capture_output=True, text=True, check=False)
    quix, client = [*said.stdout.split(), "?", "?"][:2]
    java = shutil.which("java") or "the wheel's"
    return f"quixstreams {quix} on confluent-kafka {client}; broker on Java {java}"
