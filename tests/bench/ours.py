"""Our engine with the counting brain: one worker process, its RocksDB store in the run's folder."""

import sys
from pathlib import Path

from streams.settings import WorkerSettings
from streams.worker import run
from tests.bench.brain import CountingBrain
from tests.bench.contender import Orders, orders_from_command_line


def worker_settings(orders: Orders) -> WorkerSettings:
    """Give the settings of a worker as orders want it; what they do not name is the default."""
    return WorkerSettings(
        bootstrap_servers=orders.bootstrap_servers,
        topic_prefix=orders.prefix,
        application=orders.application,
        partitions=orders.partitions,
        state_dir=Path(orders.folder, "state"),
    )


if __name__ == "__main__":
    mine = orders_from_command_line()
    sys.exit(run(worker_settings(mine), CountingBrain(mine)))
