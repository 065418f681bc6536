"""`python -m tests.oracle BUNDLE`: judge a finished run from what it left behind; the exit status is the verdict."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from tests.oracle.bundle import IncompleteBundle, load_bundle
from tests.oracle.expectation import Verdict
from tests.oracle.figures import complete
from tests.oracle.healing import Demands
from tests.oracle.judgement import judge
from tests.oracle.report import show
from tests.oracle.run import run_of

FAILED, INCOMPLETE = 1, 2


def main(arguments: list[str]) -> int:
    """Judge, print, write the figures; 0 only when nothing is wrong, 2 when the bundle cannot be judged."""
    wanted = _parser().parse_args(arguments)
    console = Console(highlight=False)
    try:
        run = run_of(load_bundle(wanted.bundle))
        second = run_of(load_bundle(wanted.replayed)) if wanted.replayed else None
    except IncompleteBundle as missing:
        Console(stderr=True).print(f"this bundle cannot be judged: {missing}", markup=False, soft_wrap=True)
        return INCOMPLETE
    verdicts = frozenset(Verdict(name) for name in wanted.verdicts.split(",") if name)
    judgement = judge(run, Demands(either_at_most=wanted.either_at_most, verdicts=verdicts), second)
    show(console, run, judgement)
    complete(wanted.figures, run, judgement)
    return 0 if judgement.is_passed else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("bundle", type=Path, help="folder that the run left behind")
    parser.add_argument("--figures", type=Path, default=Path("build/demo.json"), help="figures file to complete")
    parser.add_argument("--replayed", type=Path, help="bundle of a second run over the same inputs (C11)")
    parser.add_argument("--either-at-most", type=float, default=0.05, help="largest share of touches left open (0.05)")
    parser.add_argument(
        "--verdicts",
        default=",".join(Verdict),
        help="verdicts that must occur, empty for tiny runs (must,must_not,either)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
