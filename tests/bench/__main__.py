"""`python -m tests.bench`: throughput and latency of the engine beside its peers, in one run, as ratios."""

import sys

from tests.bench.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
