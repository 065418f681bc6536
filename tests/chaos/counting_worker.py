"""A worker process with the counting brain; settings come from the environment as for the real one."""

import sys

from streams.settings import WorkerSettings
from streams.worker import run
from tests.chaos.counting import CountingBrain

if __name__ == "__main__":
    sys.exit(run(WorkerSettings(), CountingBrain()))
