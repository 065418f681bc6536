"""F01, F03, F04 in their short form: a minute of kills, terms and pauses of two workers under load."""

import random
from pathlib import Path

from tests.chaos.counting_load import Place
from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis

SECONDS = 60.0


def test_f01_nothing_is_lost_doubled_or_reordered_under_kills(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    place = Place(bootstrap=bootstrap, prefix=f"{prefix}.")
    place.create_topics()
    seed = random.SystemRandom().randrange(10_000)
    fleet = Fleet(place, tmp_path)
    try:
        figures = Nemesis(place=place, fleet=fleet, seed=seed).run(SECONDS)
    finally:
        fleet.stop()
        place.delete_topics()
    assert figures.is_clean, figures.as_json()
    assert figures.kills + figures.terms + figures.pauses >= 4
