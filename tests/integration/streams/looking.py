"""What tests see of a running worker from outside: its health pages and what it holds of the machine."""

import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.fleet import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Memory, threads and descriptors of a process."""

    resident_kib: int
    threads: int
    descriptors: int


def page(fleet: Fleet, name: str, path: str) -> tuple[int, str]:
    """Get a health page of a worker."""
    note = Path(fleet.folder, name, f"health-{fleet.members[name].process.pid}.port")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{note.read_text().strip()}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def series(fleet: Fleet, name: str, metric: str) -> float:
    """Sum all series of a metric."""
    lines = page(fleet, name, "/metrics")[1].splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == metric)


def holdings(fleet: Fleet, name: str) -> Holdings:
    """Read what a worker holds."""
    process = Path("/proc", str(fleet.members[name].process.pid))
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    return Holdings(
        resident_kib=int(status["VmRSS"].split()[0]),
        threads=int(status["Threads"]),
        descriptors=len(list((process / "fd").iterdir())),
    )
