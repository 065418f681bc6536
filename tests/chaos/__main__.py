"""`make chaos`: harms two workers for some minutes; passes when nothing is lost, doubled, reordered or wrong."""

import argparse
import json
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.plan import StackPlan
from deploy.local.stack import LocalStack
from tests.chaos.counting_load import Place
from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis

REPORT = Path("build/chaos.json")


def main() -> int:
    """Run, write the figures and give 0 when they are clean."""
    arguments = _arguments()
    print(f"seed {arguments.seed}, {arguments.minutes} minutes")
    with _brokers() as bootstrap, tempfile.TemporaryDirectory(prefix="perennial-chaos-") as folder:
        place = Place(bootstrap=bootstrap, prefix=f"chaos-{uuid.uuid4().hex[:8]}.", partitions=arguments.partitions)
        place.create_topics()
        nemesis = Nemesis(place=place, fleet=Fleet(place, Path(folder)), seed=arguments.seed)
        figures = nemesis.run(arguments.minutes * 60)
        if not figures.is_clean:
            _keep_logs(nemesis.fleet)
        place.delete_topics()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures.as_json(), indent=2) + "\n", encoding="utf-8")
    print(REPORT.read_text(encoding="utf-8"))
    return 0 if figures.is_clean else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=4)
    return parser.parse_args()


@contextmanager
def _brokers() -> Iterator[str]:
    running = os.environ.get("PERENNIAL_TEST_BOOTSTRAP")
    if running:
        yield running
        return
    with LocalStack(StackPlan()) as stack:
        yield stack.bootstrap_servers


def _keep_logs(fleet: Fleet) -> None:
    for name in ("worker-1", "worker-2"):
        kept = REPORT.parent / f"chaos-{name}.log"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(fleet.log_of(name), encoding="utf-8")
        print(f"kept {kept}")


if __name__ == "__main__":
    sys.exit(main())
