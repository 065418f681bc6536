"""The codec against strangers and damage: what is not ours is refused in words that repeat no content."""

import json
import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import msgspec
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro import parse_schema, schemaless_writer

from schemas.codec import HEADER_BYTES, LARGEST_BYTES, Codec, packaged_codec
from schemas.errors import InvalidRecord, SchemaUnavailable, Undecodable, UnknownSchema
from schemas.events import ContractChanged, CustomerChanged, Tick
from schemas.outputs import DeadLetter, FenceRaised, HeartbeatSent
from schemas.registry import PackagedRegistry, current_schema
from schemas.vocabulary import ContractStatus, PaymentKind
from tests.builders import (
    NASTY_NAMES,
    a_contract,
    a_customer,
    a_dead_letter,
    a_fence,
    a_heartbeat,
    a_payment,
    a_tick,
)

CODEC = packaged_codec()
CONTRACT = CODEC.encode(a_contract(attributes={}))
HEADER = CONTRACT[:HEADER_BYTES]


class KnownSchemas:
    """A registry in memory: schemas by id, any other id as it is told to answer."""

    def __init__(self, schemas: dict[int, str], *, otherwise: type[Exception] = UnknownSchema) -> None:
        self._schemas = schemas
        self._otherwise = otherwise

    def schema_of(self, schema_id: int) -> str:
        if schema_id not in self._schemas:
            raise self._otherwise
        return self._schemas[schema_id]

    def id_of(self, subject: str, schema: str) -> int:
        del subject
        return next(number for number, known in self._schemas.items() if known == schema)


def zigzag(number: int) -> bytes:
    """A number as Avro writes it."""
    rest, written = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*written, rest])


def changed_schema(record_type: type[msgspec.Struct], change: Callable[[dict[str, Any]], None]) -> str:
    schema = json.loads(current_schema(record_type))
    change(schema)
    return json.dumps(schema)


def define_at_first_use(schema: dict[str, Any], name: str) -> None:
    """Swap the definition of an enum with its first use, which reordering has put before it."""
    definition = next(
        f["type"] for f in schema["fields"] if isinstance(f["type"], dict) and f["type"].get("name") == name
    )
    schema["fields"] = json.loads(
        json.dumps(schema["fields"])
        .replace(json.dumps(definition), json.dumps(name))
        .replace(json.dumps(name), json.dumps(definition), 1)
    )


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_nasty_names_survive(name: str) -> None:
    record = a_contract(product_name=name, attributes={name: name})
    assert CODEC.decode(CODEC.encode(record), ContractChanged) == record


def test_the_wire_format_is_confluents() -> None:
    assert CONTRACT[0] == 0
    assert PackagedRegistry().schema_of(int.from_bytes(CONTRACT[1:5], "big")) == current_schema(ContractChanged)


def test_a_topic_of_two_records_is_told_apart_by_schema() -> None:
    decode = CODEC.decoder((FenceRaised, HeartbeatSent))
    assert [decode(CODEC.encode(record)) for record in (a_fence(), a_heartbeat())] == [a_fence(), a_heartbeat()]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(None, "no value", id="null"),
        pytest.param(b"", "no value", id="empty"),
        pytest.param(HEADER[:3], "inside its header", id="half a header"),
        pytest.param(HEADER, "no ContractChanged", id="header only"),
        pytest.param(b"\x01" + CONTRACT[1:], "instead of 0", id="wrong magic byte"),
        pytest.param(b'{"type": "contract"}', "instead of 0", id="json"),
        pytest.param(CONTRACT[:40], "no ContractChanged", id="truncated"),
        pytest.param(CONTRACT + b"\x00", "goes on after the end", id="trailing byte"),
        pytest.param(HEADER + zigzag(2) + b"\xff\xfe" + CONTRACT[7:], "no ContractChanged", id="invalid UTF-8"),
        pytest.param(CODEC.encode(a_tick()), "is a Tick; expected here: ContractChanged", id="wrong record type"),
    ],
)
def test_what_is_no_record_of_ours_is_undecodable(value: bytes | None, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        CODEC.decode(value, ContractChanged)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(HEADER + zigzag(2**40) + b"x", id="string of 2^40"),
        pytest.param(HEADER + zigzag(-(2**62)), id="string of negative length"),
        pytest.param(CONTRACT[:-1] + zigzag(2**60), id="map of 2^60"),
        pytest.param(CONTRACT[:-1] + zigzag(-(2**60)) + zigzag(2**60), id="map block of 2^60 bytes"),
        pytest.param(CONTRACT[:-1] + zigzag(400_000) + b"\x00\x00" * 400_000, id="map of 400,000 equal entries"),
        pytest.param(
            CONTRACT[:-1] + zigzag(1_000_000) + b"".join(b"\x0e%07d\x00" % n for n in range(1_000_000)) + b"\x00",
            id="map of 1,000,000 entries",
        ),
        pytest.param(
            CONTRACT[:-1] + zigzag(500_000) + b"".join(b"\x06%03x\x00" % (n % 4096) for n in range(208_000)),
            id="map as large as a record may be",
        ),
        pytest.param(HEADER + b"\x80" * 1_000_000, id="a number that never ends"),
        pytest.param(HEADER + b"\x00" * 10_000_000, id="10 MB"),
    ],
)
def test_forged_lengths_cost_neither_time_nor_memory(value: bytes) -> None:
    assert seconds(lambda: CODEC.decode(value, ContractChanged)) < 1
    tracemalloc.start()
    try:
        seconds(lambda: CODEC.decode(value, ContractChanged))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def seconds(decode: Callable[[], object]) -> float:
    """How long the refusal takes, in CPU time: other tests may share the machine."""
    started = time.process_time()
    with pytest.raises(Undecodable):
        decode()
    return time.process_time() - started


def test_a_dead_letter_takes_any_other_record() -> None:
    letter = a_dead_letter(original_value=bytes(10_000_000))
    assert CODEC.decode(CODEC.encode(letter), DeadLetter) == letter


def test_messages_repeat_no_content() -> None:
    secret = "wang@example.com"
    record = a_contract(special_terms=secret)
    value = bytearray(CODEC.encode(record))
    place = value.index(secret.encode())
    for number in range(len(value)):
        damaged = bytes(value[:number]) + b"\xff" + bytes(value[number + 1 :])
        if number < place and (said := refusal(damaged)):
            assert "wang" not in said
            assert "example" not in said


def refusal(value: bytes) -> str:
    try:
        CODEC.decode(value, ContractChanged)
    except (Undecodable, UnknownSchema) as error:
        return f"{error} {error.__cause__} {error.__suppress_context__ or error.__context__}"
    return ""


def test_a_value_without_a_place_in_its_schema_is_invalid() -> None:
    with pytest.raises(InvalidRecord, match=r"this ContractChanged|of this ContractChanged"):
        CODEC.encode(a_contract(product_name="\ud83d"))
    with pytest.raises(InvalidRecord):
        CODEC.encode(a_contract(amount_minor=2**63))
    with pytest.raises(InvalidRecord, match="at most"):
        CODEC.encode(a_contract(special_terms="x" * LARGEST_BYTES))


def test_an_unknown_id_is_refused_by_the_packaged_file() -> None:
    with pytest.raises(UnknownSchema, match="schema id 999999"):
        CODEC.decode(b"\x00" + (999_999).to_bytes(4, "big") + b"x", Tick)


def test_a_registry_in_trouble_is_waited_for_and_asked_again() -> None:
    known: dict[int, str] = {}
    codec = Codec(KnownSchemas(known, otherwise=SchemaUnavailable))
    decode = codec.decoder(ContractChanged)
    with pytest.raises(SchemaUnavailable):
        decode(CONTRACT)
    known[int.from_bytes(CONTRACT[1:5], "big")] = current_schema(ContractChanged)
    assert decode(CONTRACT) == a_contract(attributes={})


@pytest.mark.parametrize("text", ["", "{}", '"string"', '{"type": "record"}', '{"type": "strange"}', "[1]", "nonsense"])
def test_a_schema_that_is_none_makes_its_records_undecodable(text: str) -> None:
    codec = Codec(KnownSchemas({7: text}))
    with pytest.raises(Undecodable):
        codec.decode(b"\x00\x00\x00\x00\x07abc", Tick)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param(
            {"type": "record", "name": "Link", "fields": [{"name": "next", "type": ["null", "Link"]}]},
            "contains itself",
            id="a chain",
        ),
        pytest.param(
            {
                "type": "record",
                "name": "a.Node",
                "fields": [{"name": "all", "type": {"type": "map", "values": "a.Node"}}],
            },
            "contains itself",
            id="a tree",
        ),
        pytest.param({"type": "array", "items": "null"}, "take no bytes", id="a list of nothing"),
        pytest.param(
            {"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}},
            "take no bytes",
            id="a list of empty records",
        ),
        pytest.param(
            {"type": "array", "items": {"type": "fixed", "name": "None_", "size": 0}}, "take no bytes", id="no bytes"
        ),
    ],
)
def test_a_strangers_schema_by_which_reading_might_not_end_is_refused(kind: object, said: str) -> None:
    schema = changed_schema(Tick, lambda tick: tick["fields"].insert(0, {"name": "trap", "type": kind}))
    codec = Codec(KnownSchemas({7: schema}))
    for forged in (b"\x02" * 1_000_000, zigzag(2**62)):
        with pytest.raises(Undecodable, match=said):
            codec.decode(b"\x00\x00\x00\x00\x07" + forged, Tick)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param({"type": "array", "items": ["null", "string"]}, id="a list of perhaps"),
        pytest.param({"type": "array", "items": {"type": "array", "items": "long"}}, id="a list of lists"),
        pytest.param({"type": "string", "avro.java.string": "String"}, id="a text as Java writes it"),
        pytest.param({"type": "long", "logicalType": "timestamp-millis"}, id="an instant"),
        pytest.param(
            {
                "type": "record",
                "name": "Pair",
                "fields": [{"name": "a", "type": "null"}, {"name": "b", "type": "long"}],
            },
            id="a record",
        ),
    ],
)
def test_a_strangers_schema_may_be_rich(kind: object) -> None:
    samples = {"Pair": {"a": None, "b": 1}, "timestamp-millis": 5, "items": []}
    sample = next((value for mark, value in samples.items() if mark in json.dumps(kind)), "x")
    schema = changed_schema(Tick, lambda tick: tick["fields"].insert(0, {"name": "more", "type": kind}))
    value = written(schema, 7, fields(a_tick()) | {"more": sample})
    assert Codec(KnownSchemas({7: schema})).decode(value, Tick) == a_tick()


def test_a_symbol_of_a_newer_release_becomes_the_default() -> None:
    def add_symbol(schema: dict[str, Any]) -> None:
        status = next(field for field in schema["fields"] if field["name"] == "status")["type"]
        status["symbols"] = [*status["symbols"], "paused"]

    newer = changed_schema(ContractChanged, add_symbol)
    value = written(newer, 70, fields(a_contract()) | {"status": "paused"})
    codec = Codec(KnownSchemas({70: newer}))
    assert codec.decode(value, ContractChanged) == a_contract(status=ContractStatus.UNSPECIFIED)


def test_a_symbol_outside_its_own_schema_is_undecodable() -> None:
    value = bytearray(CODEC.encode(a_payment(kind=PaymentKind.CHARGED_BACK)))
    place = value.rindex(zigzag(list(PaymentKind).index(PaymentKind.CHARGED_BACK)) + zigzag(1_200_000))
    value[place] = zigzag(60)[0]
    with pytest.raises(Undecodable):
        CODEC.decode(bytes(value), type(a_payment()))


def test_confluents_own_serializer_with_another_order_and_an_extra_field_is_read() -> None:
    def reorder_and_extend(schema: dict[str, Any]) -> None:
        extra = {"name": "crm_score", "type": ["null", "double"], "default": None}
        schema["fields"] = [extra, *reversed(schema["fields"])]
        define_at_first_use(schema, "Channel")
        schema["namespace"] = "com.example.crm"

    theirs = changed_schema(CustomerChanged, reorder_and_extend)
    registry = SchemaRegistryClient.new_client({"url": "mock://crm"})
    serialize = AvroSerializer(registry, theirs, conf={"subject.name.strategy": record_subject_name_strategy})
    record = a_customer(segment=NASTY_NAMES[2], attributes={"size": "large"})
    value = serialize(fields(record) | {"crm_score": 0.5}, SerializationContext("crm", MessageField.VALUE))

    codec = Codec(KnownSchemas({int.from_bytes(value[1:5], "big"): theirs}))
    assert codec.decode(value, CustomerChanged) == record


def test_a_record_without_our_optional_fields_takes_their_defaults() -> None:
    def only_required(schema: dict[str, Any]) -> None:
        schema["fields"] = [field for field in schema["fields"] if "default" not in field]

    older = changed_schema(ContractChanged, only_required)
    record = a_contract()
    value = written(older, 70, fields(record))
    read = Codec(KnownSchemas({70: older})).decode(value, ContractChanged)
    assert read == ContractChanged(
        **{name: getattr(record, name) for name in [field["name"] for field in json.loads(older)["fields"]]}
    )


def fields(record: msgspec.Struct) -> dict[str, Any]:
    """The fields of a record as a stranger would give them to a serializer."""
    told: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(bytes, date))
    return told


def written(schema: str, schema_id: int, told: dict[str, Any]) -> bytes:
    """A record as a stranger with this schema writes it."""
    stream = BytesIO(b"\x00" + schema_id.to_bytes(4, "big"))
    stream.seek(HEADER_BYTES)
    schemaless_writer(stream, parse_schema(json.loads(schema)), told)
    return stream.getvalue()
