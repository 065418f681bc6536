"""The changelog's rows: keys that never meet, order by arrival, and versions that are not guessed at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.changelog import (
    KeptInput,
    MetaRow,
    RowUnreadable,
    decode_kept,
    decode_meta,
    encode_kept,
    encode_meta,
    quarantine_row_key,
    quarantine_row_parts,
)

customers = st.binary(min_size=1, max_size=30)
sequences = st.integers(0, 99_999_999)


@given(customers, sequences)
def test_a_kept_row_names_its_customer_and_place(customer: bytes, sequence: int) -> None:
    assert quarantine_row_parts(quarantine_row_key(customer, sequence)) == (customer, sequence)


@given(customers, customers, sequences, sequences)
def test_rows_of_two_customers_never_share_a_key(one: bytes, other: bytes, first: int, second: int) -> None:
    assert (quarantine_row_key(one, first) == quarantine_row_key(other, second)) == ((one, first) == (other, second))


@given(customers, st.lists(sequences, min_size=2, max_size=10))
def test_rows_of_a_customer_sort_by_arrival(customer: bytes, arrived: list[int]) -> None:
    keys = sorted(quarantine_row_key(customer, sequence) for sequence in arrived)
    assert [quarantine_row_parts(key)[1] for key in keys] == sorted(arrived)


def test_rows_read_back_as_they_were_written() -> None:
    meta = MetaRow(incarnation="x", watermark_at_ms=5, policies=b"p", rejudge_cursor=b"", data_versions={"tzdata": "1"})
    kept = KeptInput(topic="t", partition=1, offset=2, appended_at_ms=3, key=b"k", value=None)
    assert decode_meta(encode_meta(meta)) == meta
    assert decode_kept(encode_kept(kept)) == kept


@pytest.mark.parametrize("value", [b"", b"\x02anything", b"\x01\xc1"])
def test_a_row_from_the_future_or_damaged_is_not_guessed_at(value: bytes) -> None:
    with pytest.raises(RowUnreadable):
        decode_meta(value)
    with pytest.raises(RowUnreadable):
        decode_kept(value)
