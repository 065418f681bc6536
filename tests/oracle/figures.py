"""The figures of a run as JSON for scripts: what the run wrote itself stays, the verdict is added."""

import json
from pathlib import Path
from typing import Any

from tests.oracle.judgement import Judgement
from tests.oracle.outcomes import Ending
from tests.oracle.run import Run


def complete(path: Path, run: Run, judgement: Judgement) -> None:
    """Add due, the lines of the balance, violations and lateness to a figures file; create it where there is none."""
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known | figures(run, judgement), indent=2) + "\n", encoding="utf-8")


def figures(run: Run, judgement: Judgement) -> dict[str, Any]:
    """Give the keys that the oracle answers for; a check that was not judged is null."""
    return {
        "customers": len(run.inputs.customers),
        "days": run.bundle.manifest.days,
        "seed": run.bundle.manifest.seed,
        "due": judgement.due,
        **{ending.value: judgement.balance.get(ending, 0) for ending in Ending if ending is not Ending.MISSING},
        "imbalance": judgement.imbalance,
        "violations": dict(judgement.counts),
        "lateness_ms": {
            "p50": judgement.lateness.p50,
            "p99": judgement.lateness.p99,
            "max": judgement.lateness.max,
        },
        "killed_workers": sum(row.kind == "kill" and row.target.startswith("worker") for row in run.bundle.nemesis),
        "either_share": round(judgement.either_share, 4),
        "is_healed": not judgement.faults,
    }
