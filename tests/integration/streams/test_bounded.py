"""Nothing of a worker grows with its batches: memory, threads, descriptors (Faust's bookkeeping included)."""

from tests.chaos.counting_load import Load, Place, Publisher
from tests.chaos.fleet import Fleet
from tests.integration.streams.conftest import wait_for_all, wait_until
from tests.integration.streams.looking import holdings, series

WARM_TRANSACTIONS, TRANSACTIONS = 800, 2_800
MOST_GROWTH_KIB = (
    12_000  # RocksDB's memtables and the allocator move by some MiB; a message kept a batch would take more
)


def feed_until(transactions: int, load: Load, fleet: Fleet, publisher: Publisher) -> None:
    """Publish a few events at a time until a worker has made so many transactions."""

    def fed() -> bool:
        for _ in range(10):
            publisher.publish(load, 8)
        return series(fleet, "worker-1", "perennial_transactions_total") >= transactions

    wait_until(fed, f"{transactions} transactions", within_s=150)


def test_nothing_grows_with_the_number_of_batches(place: Place, fleet: Fleet, publisher: Publisher) -> None:
    load = Load(11, 20)
    fleet.start("worker-1")
    wait_until(lambda: "partitions_taken" in fleet.log_of("worker-1"), "the worker works")
    feed_until(WARM_TRANSACTIONS, load, fleet, publisher)
    before = holdings(fleet, "worker-1")
    feed_until(TRANSACTIONS, load, fleet, publisher)
    after = holdings(fleet, "worker-1")
    wait_for_all(place, load)
    assert after.resident_kib - before.resident_kib < MOST_GROWTH_KIB
    assert after.threads <= before.threads + 4  # the commit pool may still be filling
    assert after.descriptors <= before.descriptors + 8
