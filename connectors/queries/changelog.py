"""The state of customers as the changelog tells it: what `explain`, `upcoming` and the quarantine list are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.queries.topic_records import fold, records_in
from schemas.changelog import (
    META_ROW,
    QUARANTINE_PREFIX,
    STATE_PREFIX,
    KeptInput,
    MetaRow,
    decode_kept,
    decode_meta,
    quarantine_prefix,
    quarantine_row_parts,
    state_row_key,
)
from schemas.topics import changelog_topic
from schemas.transport.partitioner import partition_of
from schemas.transport.reader import read_to_end
from schemas.transport.records import BEGINNING, TopicPartition
from schemas.transport.settings import KafkaSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRows:
    """One partition of the changelog as it stands: the rows of its customers and its meta row."""

    partition: int
    rows: Mapping[bytes, bytes]
    meta: MetaRow | None

    def state_of(self, customer_id: str) -> bytes | None:
        """The saved state of a customer, None when the core has never heard of them."""
        return self.rows.get(state_row_key(customer_id.encode()))

    def states(self) -> Mapping[str, bytes]:
        """Every customer's saved state."""
        skip = len(STATE_PREFIX)
        return {key[skip:].decode(): value for key, value in self.rows.items() if key.startswith(STATE_PREFIX)}

    def kept_of(self, customer_id: str) -> tuple[KeptInput, ...]:
        """The inputs that wait behind a quarantine, in order; the first is the refused one."""
        customer = customer_id.encode()
        beginning = quarantine_prefix(customer)
        mine = (key for key in self.rows if key.startswith(beginning) and quarantine_row_parts(key)[0] == customer)
        return tuple(decode_kept(self.rows[key]) for key in sorted(mine))

    def quarantined(self) -> Mapping[str, int]:
        """Customers with inputs that wait, and how many."""
        waiting: dict[str, int] = {}
        for key in self.rows:
            if key.startswith(QUARANTINE_PREFIX):
                customer = quarantine_row_parts(key)[0].decode(errors="replace")
                waiting[customer] = waiting.get(customer, 0) + 1
        return waiting


def rows_around(settings: KafkaSettings, application: str, partitions: int, customer_id: str) -> PartitionRows:
    """Read the partition that holds a customer; seconds, whatever the others hold."""
    partition = partition_of(customer_id.encode(), partitions)
    tp = TopicPartition(changelog_topic(application), partition)
    rows: dict[bytes, bytes] = {}
    for part in read_to_end(settings, tp, BEGINNING):
        for record in part.records:
            fold(rows, record)
    return _partition_rows(partition, rows)


def all_rows(settings: KafkaSettings, application: str, partitions: int) -> tuple[PartitionRows, ...]:
    """Read every partition."""
    found: dict[int, dict[bytes, bytes]] = {partition: {} for partition in range(partitions)}
    for record in records_in(settings, changelog_topic(application), partitions):
        fold(found[record.partition], record)
    return tuple(_partition_rows(partition, rows) for partition, rows in found.items())


def _partition_rows(partition: int, rows: Mapping[bytes, bytes]) -> PartitionRows:
    meta = rows.get(META_ROW)
    return PartitionRows(partition=partition, rows=rows, meta=decode_meta(meta) if meta else None)
