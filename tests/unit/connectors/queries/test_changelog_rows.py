"""What a partition of the changelog says of its customers, whatever they are called."""

from connectors.queries.changelog import PartitionRows
from schemas.changelog import KeptInput, encode_kept, quarantine_row_key
from schemas.topics import PAYMENT


def kept(offset: int) -> KeptInput:
    return KeptInput(topic=PAYMENT, partition=0, offset=offset, appended_at_ms=1, key=b"k", value=b"v")


def test_kept_inputs_are_told_apart_where_one_name_begins_with_another() -> None:
    rows = {
        quarantine_row_key(name, sequence): encode_kept(kept(offset))
        for name, sequence, offset in ((b"C-1", 1, 8), (b"C-1", 0, 7), (b"C-1|0", 0, 5), (b"C-10", 0, 4))
    }
    part = PartitionRows(partition=0, rows=rows, meta=None)
    assert part.kept_of("C-1") == (kept(7), kept(8))
    assert part.kept_of("C-1|0") == (kept(5),)
    assert part.quarantined() == {"C-1": 2, "C-1|0": 1, "C-10": 1}
