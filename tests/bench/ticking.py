"""Our real clock beside a steady load: one tick a second to every partition, barriers included."""

import sys

from schemas.codec import packaged_codec
from streams.clock import run
from streams.settings import ClockSettings
from tests.bench.contender import orders_from_command_line

if __name__ == "__main__":
    mine = orders_from_command_line()
    settings = ClockSettings(
        bootstrap_servers=mine.bootstrap_servers,
        topic_prefix=mine.prefix,
        application=mine.application,
        partitions=mine.partitions,
    )
    sys.exit(run(settings, packaged_codec()))
