"""Records as bytes: the Confluent wire format (magic byte 0, schema id in 4 bytes, Avro) by fastavro."""

import json
from collections.abc import Callable
from io import BytesIO
from struct import error as StructError  # noqa: N812  the library's name says nothing here
from typing import Any, TypeVar

import msgspec
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import SchemaParseException, UnknownType, to_parsing_canonical_form
from fastavro.types import Schema

from schemas.errors import InvalidRecord, Undecodable
from schemas.foreign import check_bounded
from schemas.outputs import DeadLetter
from schemas.registry import PackagedRegistry, Registry, current_schema, full_name

T = TypeVar("T", bound=msgspec.Struct)

MAGIC_BYTE = 0
HEADER_BYTES = 5
LARGEST_BYTES = 1 << 20  # what a topic takes by default; a map of that size is some 40 MiB in memory
LARGEST_DEAD_LETTER_BYTES = 16 << 20  # wraps any other record; it has no map

# what fastavro and msgspec raise over bytes or values that do not fit; anything else is a fault of ours and stops us
_MISFITS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    StructError,
    TypeError,
    ValueError,
    msgspec.ValidationError,
)


class Codec:
    """Encodes and decodes every record of the system by the schemas that a registry tells.

    `encoder` and `decoder` prebuild a function for hot loops; `encode` and `decode` use the same ones.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._encoders: dict[type[msgspec.Struct], Callable[[Any], bytes]] = {}
        self._decoders: dict[object, Callable[[bytes | None], Any]] = {}

    def encode(self, record: msgspec.Struct) -> bytes:
        """Write a record; InvalidRecord when a value has no place in its schema (a lone surrogate, 65 bits)."""
        encode = self._encoders.get(type(record))
        if encode is None:
            encode = self._encoders[type(record)] = self.encoder(type(record))
        return encode(record)

    def decode(self, value: bytes | None, expected: type[T] | tuple[type[T], ...]) -> T:
        """Read a record of one of the expected types; as `decoder`."""
        decode = self._decoders.get(expected)
        if decode is None:
            decode = self._decoders[expected] = self.decoder(expected)
        record: T = decode(value)
        return record

    def encoder(self, record_type: type[T]) -> Callable[[T], bytes]:
        """Prebuild the writer of a record type; asks the registry for its id, so SchemaUnavailable may be raised."""
        text = current_schema(record_type)
        schema_id = self._registry.id_of(full_name(record_type), text)
        return _writer(record_type, _parsed(text), bytes([MAGIC_BYTE]) + schema_id.to_bytes(4, "big"))

    def decoder(self, expected: type[T] | tuple[type[T], ...]) -> Callable[[bytes | None], T]:
        """Prebuild the reader of the record types that a topic may hold.

        The reader raises:
            Undecodable: the bytes are no record of an expected type; the message names no content.
            UnknownSchema: the registry is certain not to know the schema id.
            SchemaUnavailable: the registry cannot tell now (law 4).
        """
        wanted = {kind.__name__: kind for kind in (expected if isinstance(expected, tuple) else (expected,))}
        readers: dict[bytes, Callable[[bytes], T]] = {}  # by header: one lookup a record finds schema and type

        def decode(value: bytes | None) -> T:
            if not value:
                raise Undecodable("the record has no value, where one of " + " or ".join(wanted) + " was expected")
            read = readers.get(value[:HEADER_BYTES])
            if read is None:
                read = self._reader(value, wanted)
                readers[value[:HEADER_BYTES]] = read
            return read(value)

        return decode

    def _reader(self, value: bytes, wanted: dict[str, type[T]]) -> Callable[[bytes], T]:
        writer = _foreign(self._registry.schema_of(_schema_id(value)))
        record_type = wanted.get(_name_of(writer))
        if record_type is None:
            raise Undecodable(f"the record is a {_name_of(writer)}; expected here: " + " or ".join(wanted))
        ours = _parsed(current_schema(record_type))
        if to_parsing_canonical_form(writer) == to_parsing_canonical_form(ours):
            return _reader_of(record_type, ours, None)
        return _reader_of(record_type, writer, ours)


def packaged_codec() -> Codec:
    """Give a codec that needs no server: ids come from the registry file of this release."""
    return Codec(PackagedRegistry())


def _schema_id(value: bytes) -> int:
    if value[0] != MAGIC_BYTE:
        raise Undecodable(f"the record begins with byte {value[0]} instead of 0: it is not in Confluent's wire format")
    if len(value) < HEADER_BYTES:
        raise Undecodable(f"the record ends after {len(value)} bytes, inside its header")
    return int.from_bytes(value[1:HEADER_BYTES], "big")


def _foreign(text: str) -> Schema:
    try:
        check_bounded(json.loads(text))
        return _parsed(text)
    except (SchemaParseException, UnknownType, *_MISFITS) as error:
        raise Undecodable(f"the schema in the registry is no Avro schema ({type(error).__name__})") from None


def _parsed(text: str) -> Schema:
    return parse_schema(json.loads(text))


def _name_of(schema: Schema) -> str:
    name = schema.get("name", "") if isinstance(schema, dict) else ""
    return str(name).rpartition(".")[2]


def _largest_bytes(record_type: type[msgspec.Struct]) -> int:
    return LARGEST_DEAD_LETTER_BYTES if record_type is DeadLetter else LARGEST_BYTES


def _writer(record_type: type[T], schema: Schema, header: bytes) -> Callable[[T], bytes]:
    as_dict, name, largest = msgspec.structs.asdict, record_type.__name__, _largest_bytes(record_type)

    def write(record: T) -> bytes:
        stream = BytesIO()
        stream.write(header)
        try:
            schemaless_writer(stream, schema, as_dict(record))
        except _MISFITS as error:
            raise InvalidRecord(f"a value of this {name} has no place in its schema ({type(error).__name__})") from None
        if stream.tell() > largest:
            raise InvalidRecord(f"this {name} takes {stream.tell()} bytes; at most {largest} are allowed")
        return stream.getvalue()

    return write


def _reader_of(record_type: type[T], writer: Schema, reader: Schema | None) -> Callable[[bytes], T]:
    convert, name, largest = msgspec.convert, record_type.__name__, _largest_bytes(record_type)

    def read(value: bytes) -> T:
        if len(value) > largest:
            raise Undecodable(f"this {name} takes {len(value)} bytes; at most {largest} are allowed")
        stream = BytesIO(value)
        stream.seek(HEADER_BYTES)
        try:
            record = convert(schemaless_reader(stream, writer, reader), record_type)
        except _MISFITS as error:
            raise Undecodable(f"the bytes are no {name} ({_where(error)})") from None
        if stream.read(1):
            raise Undecodable(f"the record goes on after the end of its {name}")
        return record

    return read


def _where(error: BaseException) -> str:
    """Name the kind of failure and the field, without the content that msgspec quotes."""
    _, found, path = str(error).rpartition(" - at `$.")
    field = f" in {path.rstrip('`')}" if found and isinstance(error, msgspec.ValidationError) else ""
    return f"{type(error).__name__}{field}"
