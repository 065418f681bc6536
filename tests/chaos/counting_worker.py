"""A worker process with the counting brain; settings come from the environment as for the real one."""

import os

from streams.settings import WorkerSettings
from streams.worker import run
from tests.chaos.counting import CountingBrain

if __name__ == "__main__":
    first_alarm = os.environ.get("COUNTING_FIRST_ALARM_MS")
    run(WorkerSettings(), CountingBrain(first_alarm_ms=int(first_alarm) if first_alarm else None))
