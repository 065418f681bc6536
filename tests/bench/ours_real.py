"""Our engine with the real core: what an installation runs, on the traffic of the bench."""

import sys

from schemas.codec import packaged_codec
from streams.renewals import RenewalBrain
from streams.worker import run
from tests.bench.contender import marked, orders_from_command_line
from tests.bench.ours import worker_settings

if __name__ == "__main__":
    mine = orders_from_command_line()
    brain = RenewalBrain(packaged_codec())
    brain.decoders = {topic: marked(mine, decoder) for topic, decoder in brain.decoders.items()}
    sys.exit(run(worker_settings(mine), brain))
