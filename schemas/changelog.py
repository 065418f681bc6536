"""The rows of an application's changelog and of the local store: what both edges must agree on to read a state.

A customer's state is `c|<customer>`; what a quarantined customer may not apply yet is kept in order as
`q|<customer>|<8-digit sequence>`; what belongs to a partition and not to a customer is the meta row, `m`.
The bytes of a state belong to `processors.state`.
"""

from typing import TypeVar

import msgspec

from schemas.errors import PerennialError

STATE_PREFIX = b"c|"
QUARANTINE_PREFIX = b"q|"
META_ROW = b"m"
TIME = "time"  # in `data_versions`: whose time an application was judged by, for its whole life
REAL, VIRTUAL = "real", "virtual"
_SEQUENCE_DIGITS = 8
_VERSION = b"\x01"
_Row = TypeVar("_Row")


class RowUnreadable(PerennialError):
    """A meta or quarantine row has a version that this release does not know."""


class MetaRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What belongs to a partition; committed with every transaction of it.

    `policies` is the brain's own encoding of policies and stops; `rejudge_cursor` is the next customer to re-judge,
    None when none is left; the three refusal fields are the window behind the dead-letter limit;
    `incarnation` names this changelog, so that a store of a recreated one is noticed.
    """

    incarnation: str
    watermark_at_ms: int = 0
    fresh_at_ms: int = 0
    tick_offset: int = -1
    policies: bytes = b""
    policy_number: int = 0
    rejudge_cursor: bytes | None = None
    customers: int = 0
    outstanding: int = 0
    refusal_bits: bytes = b""
    refusals_seen: int = 0
    refused_in_a_row: int = 0
    data_versions: dict[str, str] = msgspec.field(default_factory=dict)


class KeptInput(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An input of a quarantined customer, kept as it arrived until the customer is released."""

    topic: str
    partition: int
    offset: int
    appended_at_ms: int
    key: bytes | None
    value: bytes | None


def state_row_key(customer: bytes) -> bytes:
    """Name the row of a customer's state."""
    return STATE_PREFIX + customer


def quarantine_prefix(customer: bytes) -> bytes:
    """Name what every kept input of a customer begins with."""
    return QUARANTINE_PREFIX + customer + b"|"


def quarantine_row_key(customer: bytes, sequence: int) -> bytes:
    """Name one kept input; keys of one customer sort in the order of arrival."""
    return quarantine_prefix(customer) + str(sequence).zfill(_SEQUENCE_DIGITS).encode()


def quarantine_row_parts(row_key: bytes) -> tuple[bytes, int]:
    """Split the key of a kept input into customer and sequence."""
    body = row_key[len(QUARANTINE_PREFIX) :]
    return body[: -_SEQUENCE_DIGITS - 1], int(body[-_SEQUENCE_DIGITS:])


def encode_meta(row: MetaRow) -> bytes:
    """Write a meta row with its version in front."""
    return _VERSION + _encode(row)


def decode_meta(value: bytes) -> MetaRow:
    """Read a meta row; RowUnreadable when it is of a version from the future or damaged."""
    return _decoded(value, _meta_decoder)


def encode_kept(row: KeptInput) -> bytes:
    """Write a kept input with its version in front."""
    return _VERSION + _encode(row)


def decode_kept(value: bytes) -> KeptInput:
    """Read a kept input; RowUnreadable when it is of a version from the future or damaged."""
    return _decoded(value, _kept_decoder)


_encode = msgspec.msgpack.Encoder().encode
_meta_decoder = msgspec.msgpack.Decoder(MetaRow)
_kept_decoder = msgspec.msgpack.Decoder(KeptInput)


def _decoded(value: bytes, decoder: msgspec.msgpack.Decoder[_Row]) -> _Row:
    if value[:1] != _VERSION:
        raise RowUnreadable(f"row version {value[:1].hex() or 'none'} is not known here: run the release that wrote it")
    try:
        return decoder.decode(value[1:])
    except msgspec.MsgspecError as error:
        raise RowUnreadable(f"a row of the changelog is damaged: {error}") from error
