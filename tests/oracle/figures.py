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
    path.write_text(json.dumps(_described(run) | known | figures(judgement), indent=2) + "\n", encoding="utf-8")


def figures(judgement: Judgement) -> dict[str, Any]:
    """Give the keys that the oracle answers for; a check that was not judged is null."""
    return {
        "due": judgement.due,
        **{ending.value: judgement.balance.get(ending, 0) for ending in Ending if ending is not Ending.MISSING},
        "imbalance": judgement.imbalance,
        "violations": dict(judgement.counts),
        "lateness_ms": {
            "p50": judgement.lateness.p50,
            "p99": judgement.lateness.p99,
            "max": judgement.lateness.max,
        },
        "either_share": round(judgement.either_share, 4),
        "faults": list(judgement.faults),
    }


def _described(run: Run) -> dict[str, Any]:
    """What the run knows better itself, unless it wrote nothing."""
    kills = [row for row in run.bundle.nemesis if row.kind == "kill" and row.target.startswith("worker")]
    return {
        "customers": len(run.inputs.customers),
        "days": run.bundle.manifest.days,
        "seed": run.bundle.manifest.seed,
        "killed_workers": len(kills),
    }
