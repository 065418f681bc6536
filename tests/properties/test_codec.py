"""Laws of the codec: every record survives its bytes, and no bytes do more than be refused."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import HEADER_BYTES, packaged_codec
from schemas.errors import Refused
from tests.strategies import RECORD_TYPES, records

CODEC = packaged_codec()


@given(records())
def test_every_record_survives_its_bytes(record: msgspec.Struct) -> None:
    assert CODEC.decode(CODEC.encode(record), type(record)) == record


@given(records(), st.data())
def test_a_record_cut_short_is_refused(record: msgspec.Struct, data: st.DataObject) -> None:
    value = CODEC.encode(record)
    cut = value[: data.draw(st.integers(0, len(value) - 1))]
    assert is_refused(cut, type(record))


@given(records(), st.binary(min_size=1, max_size=20))
def test_a_record_with_something_behind_it_is_refused(record: msgspec.Struct, rest: bytes) -> None:
    assert is_refused(CODEC.encode(record) + rest, type(record))


@given(records(), st.binary(max_size=300))
def test_noise_behind_a_good_header_is_refused_or_read_and_nothing_else(record: msgspec.Struct, noise: bytes) -> None:
    is_refused(CODEC.encode(record)[:HEADER_BYTES] + noise, type(record))


@given(st.binary(max_size=300), st.sampled_from(RECORD_TYPES))
def test_noise_is_refused_or_read_and_nothing_else(noise: bytes, record_type: type[msgspec.Struct]) -> None:
    is_refused(noise, record_type)


@given(records(), st.data())
def test_a_flipped_bit_is_refused_or_read_and_nothing_else(record: msgspec.Struct, data: st.DataObject) -> None:
    value = bytearray(CODEC.encode(record))
    place = data.draw(st.integers(0, len(value) * 8 - 1))
    value[place // 8] ^= 1 << place % 8
    is_refused(bytes(value), type(record))


def is_refused(value: bytes, record_type: type[msgspec.Struct]) -> bool:
    """Whether the bytes are refused; any other exception fails the test."""
    try:
        CODEC.decode(value, record_type)
    except Refused:
        return True
    return False
