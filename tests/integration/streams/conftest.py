"""A place of its own on the broker for every test, and a fleet of counting workers that ends with it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.counting_load import Load, Place, Publisher, counted
from tests.chaos.fleet import Fleet

WITHIN_S = 60.0


@pytest.fixture
def place(bootstrap: str, prefix: str) -> Iterator[Place]:
    """Topics nobody else uses, gone after the test."""
    place = Place(bootstrap=bootstrap, prefix=f"{prefix}.")
    place.create_topics()
    yield place
    place.delete_topics()


@pytest.fixture
def fleet(place: Place, tmp_path: Path) -> Iterator[Fleet]:
    """Workers that are ended whatever happens."""
    fleet = Fleet(place, tmp_path)
    yield fleet
    fleet.stop()


@pytest.fixture
def publisher(place: Place) -> Publisher:
    """Publishes to the place."""
    return Publisher(place)


def wait_until(happened: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Poll for a fact with a deadline."""
    until = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < until, f"not within {within_s} s: {what}"
        time.sleep(0.2)


def wait_for_all(place: Place, load: Load, fleet: Fleet | None = None) -> None:
    """Wait until every event of a load is counted, restarting workers that ended."""

    def done() -> bool:
        if fleet is not None:
            fleet.restart_ended()
        return counted(place) >= sum(load.sent.values())

    wait_until(done, "all events counted")
