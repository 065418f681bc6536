"""Workers on real Kafka: exactly once, orderly stops, moves without exits, health pages."""

import time

from schemas.topics import PAYMENT, TICK, changelog_topic
from schemas.transport.positions import Positions
from schemas.transport.producer import FencedProducer
from tests.chaos.counting_load import Load, Place, Publisher, verdict
from tests.chaos.fleet import Fleet
from tests.integration.streams.conftest import wait_for_all, wait_until
from tests.integration.streams.looking import page

DRAIN_S = 10.0


def test_one_worker_counts_everything_once_and_stops_in_order(place: Place, fleet: Fleet, publisher: Publisher) -> None:
    load = Load(1, 200)
    publisher.publish(load, 3_000)
    fleet.start("worker-1")
    wait_for_all(place, load)
    assert page(fleet, "worker-1", "/ready") == (200, "yes\n")
    assert page(fleet, "worker-1", "/live") == (200, "yes\n")
    status, metrics = page(fleet, "worker-1", "/metrics")
    assert status == 200
    assert f'perennial_records_applied_total{{topic="{PAYMENT}"}}' in metrics
    assert "perennial_partitions_owned 4.0" in metrics
    began = time.monotonic()
    assert fleet.terminate("worker-1") == 0
    assert time.monotonic() - began < DRAIN_S
    assert verdict(place, load).is_clean


def test_f03_workers_come_and_go_under_load_without_an_exit(place: Place, fleet: Fleet, publisher: Publisher) -> None:
    load = Load(3, 500)
    fleet.start("worker-1")
    for move in ("start worker-2", "start worker-3", "stop worker-1", "stop worker-3"):
        publisher.publish(load, 1_000)
        verb, name = move.split()
        if verb == "start":
            fleet.start(name)
            wait_until(lambda name=name: "partitions_taken" in fleet.log_of(name), move)  # type: ignore[misc]
        else:
            assert fleet.terminate(name) == 0
        publisher.publish(load, 1_000)
    wait_for_all(place, load)
    assert [status for _, status in fleet.exits if status] == []
    assert verdict(place, load).is_clean
    assert "chain_gap" not in "".join(fleet.log_of(name) for name in ("worker-1", "worker-2", "worker-3"))


def test_i9_what_stays_with_a_worker_is_not_restored_again(place: Place, fleet: Fleet, publisher: Publisher) -> None:
    load = Load(4, 100)
    publisher.publish(load, 500)
    fleet.start("worker-1")
    wait_for_all(place, load)
    fleet.start("worker-2")
    wait_until(lambda: "partitions_taken" in fleet.log_of("worker-2"), "the second worker has its share")
    taken = [line for line in fleet.log_of("worker-1").splitlines() if "partitions_taken" in line]
    assert "opened=[]" in taken[-1]
    assert "kept=[]" not in taken[-1]


def test_i6_a_tick_passes_markers_and_aborted_records_without_a_record_arriving(
    place: Place, fleet: Fleet, publisher: Publisher
) -> None:
    fleet.start("worker-1")
    wait_until(lambda: "partitions_taken" in fleet.log_of("worker-1"), "the worker works")
    upstream = FencedProducer(place.settings, f"{place.prefix}upstream")
    upstream.open()
    for number in range(place.partitions):
        upstream.begin()
        upstream.produce(place.name(PAYMENT), b"nobody", b"never seen", number)
        upstream.abort()
    now_ms = time.time_ns() // 1_000_000
    publisher.tick(now_ms)
    positions = Positions(place.settings)
    ticks = place.tps(TICK)
    wait_until(
        lambda: all(
            at is not None and at >= 1 for at in positions.committed(place.prefix + place.application, ticks).values()
        ),
        "the tick was applied everywhere",
        within_s=15,
    )


def test_the_position_in_the_store_is_exact_after_many_transactions(
    place: Place, fleet: Fleet, publisher: Publisher
) -> None:
    load = Load(5, 50)
    fleet.start("worker-1")
    for _ in range(8):
        publisher.publish(load, 100)
        wait_for_all(place, load)
    assert fleet.terminate("worker-1") == 0
    ends = Positions(place.settings).end_offsets(place.tps(changelog_topic(place.application)))
    fleet.start("worker-1")
    wait_until(lambda: fleet.log_of("worker-1").count("partitions_taken") >= 2, "it restored")
    metrics = page(fleet, "worker-1", "/metrics")[1]
    read = float(
        next(line for line in metrics.splitlines() if line.startswith("perennial_restore_records_total")).split()[1]
    )
    assert 0 < read < sum(ends.values()) / 2  # the tail only
    assert fleet.exits == [("worker-1", 0)]


def test_two_fleets_under_one_name_end_fenced_and_never_doubled(
    place: Place, fleet: Fleet, publisher: Publisher
) -> None:
    load = Load(6, 100)
    publisher.publish(load, 300)
    fleet.start("worker-1")
    wait_for_all(place, load)
    thief = FencedProducer(place.settings, f"{place.prefix}{place.application}-0")
    thief.open()
    publisher.publish(load, 600)
    wait_until(lambda: fleet.members["worker-1"].process.poll() is not None, "the fenced worker ends")
    assert '"fenced"' in fleet.log_of("worker-1") or "code=fenced" in fleet.log_of("worker-1")
    wait_for_all(place, load, fleet)
    assert verdict(place, load).is_clean
