"""F11, F12: a harmed store is noticed or harmless; inputs that are gone are a named exit."""

import shutil
from pathlib import Path

import pytest

from schemas.errors import ExitCode
from schemas.topics import PAYMENT
from schemas.transport.admin import TopicAdmin
from schemas.transport.positions import Positions
from schemas.transport.records import Position
from tests.chaos.counting_load import Load, Place, Publisher, verdict
from tests.chaos.fleet import Fleet
from tests.integration.streams.conftest import wait_for_all, wait_until


def stores(fleet: Fleet) -> Path:
    """Where the worker's stores lie."""
    return fleet.folder / "worker-1" / "stores" / fleet.place.application


def delete(folder: Path) -> None:
    """The whole folder is gone."""
    shutil.rmtree(folder)


def flip_tables(folder: Path) -> None:
    """Every data file has flipped bytes in its middle."""
    for table in folder.rglob("*.sst"):
        data = bytearray(table.read_bytes())
        data[len(data) // 3 : len(data) // 3 + 64] = bytes(64)
        table.write_bytes(data)


def truncate_manifests(folder: Path) -> None:
    """The manifests end early."""
    for manifest in folder.rglob("MANIFEST-*"):
        manifest.write_bytes(manifest.read_bytes()[: manifest.stat().st_size // 2])


def swap(folder: Path) -> None:
    """Two partitions have each other's store."""
    (folder / "0.0").rename(folder / "swapped")
    (folder / "1.0").rename(folder / "0.0")
    (folder / "swapped").rename(folder / "1.0")


@pytest.mark.parametrize("harm", [delete, flip_tables, truncate_manifests, swap])
def test_f11_a_harmed_store_is_never_served(harm: object, place: Place, fleet: Fleet, publisher: Publisher) -> None:
    load = Load(8, 300)
    publisher.publish(load, 2_000)
    fleet.start("worker-1")
    wait_for_all(place, load)
    assert fleet.terminate("worker-1") == 0
    harm(stores(fleet))  # type: ignore[operator]
    publisher.publish(load, 2_000)
    fleet.start("worker-1")
    wait_for_all(place, load, fleet)
    assert verdict(place, load).is_clean
    assert {status for _, status in fleet.exits} <= {0, ExitCode.STORE_UNUSABLE.status}


def test_f11_an_older_copy_of_a_store_catches_up(place: Place, fleet: Fleet, publisher: Publisher) -> None:
    load = Load(9, 100)
    publisher.publish(load, 500)
    fleet.start("worker-1")
    wait_for_all(place, load)
    assert fleet.terminate("worker-1") == 0
    copy = fleet.folder / "copy"
    shutil.copytree(stores(fleet), copy)
    publisher.publish(load, 500)
    fleet.start("worker-1")
    wait_for_all(place, load)
    assert fleet.terminate("worker-1") == 0
    shutil.rmtree(stores(fleet))
    shutil.copytree(copy, stores(fleet))
    publisher.publish(load, 500)
    fleet.start("worker-1")
    wait_for_all(place, load)
    assert verdict(place, load).is_clean


def test_f12_records_deleted_past_the_position_are_a_named_exit(
    place: Place, fleet: Fleet, publisher: Publisher
) -> None:
    load = Load(10, 100)
    publisher.publish(load, 500)
    fleet.start("worker-1")
    wait_for_all(place, load)
    assert fleet.terminate("worker-1") == 0
    publisher.publish(load, 500)
    ends = Positions(place.settings).end_offsets(place.tps(PAYMENT))
    TopicAdmin(place.settings).delete_records([Position(*tp, end) for tp, end in ends.items()])
    fleet.start("worker-1")
    worker = fleet.members["worker-1"].process
    wait_until(lambda: worker.poll() is not None, "the worker refuses to jump")
    assert worker.returncode == ExitCode.INPUTS_LOST.status
    assert "inputs_lost" in fleet.log_of("worker-1")
