"""The Avro files and the Structs are one language: they mirror each other, and what is released never changes."""

import enum
import hashlib
import json
import re
import typing
from datetime import date
from typing import Any

import msgspec
import pytest

from schemas import vocabulary
from schemas.registry import AVRO_FOLDER, current_schema, released_schemas
from schemas.topics import ENGAGEMENT, HOLDING, RECEIPT, catalogue, changelog_topic
from schemas.vocabulary import Channel
from tests.strategies import RECORD_TYPES

PERSONAL = {"none", "pseudonym", "contact"}
PLAIN: dict[object, object] = {
    str: "string",
    bytes: "bytes",
    bool: "boolean",
    int: "long",
    date: {"type": "int", "logicalType": "date"},
}
ENUMS = {
    kind.__name__: kind
    for kind in vars(vocabulary).values()
    if isinstance(kind, type) and issubclass(kind, enum.Enum) and kind is not enum.StrEnum
}

every_record = pytest.mark.parametrize("record_type", RECORD_TYPES, ids=lambda kind: kind.__name__)


def schema_of(record_type: type[msgspec.Struct]) -> dict[str, Any]:
    return dict(json.loads(current_schema(record_type)))


def avro_type(kind: Any) -> object:  # noqa: ANN401  annotations have no type of their own
    """The Avro type of an annotation; an enum by its name."""
    plain = getattr(kind, "__supertype__", kind)
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        return plain.__name__
    if typing.get_origin(plain) is tuple:
        return {"type": "array", "items": avro_type(typing.get_args(plain)[0])}
    if typing.get_origin(plain) is dict:
        return {"type": "map", "values": avro_type(typing.get_args(plain)[1])}
    return PLAIN[plain]


def by_name(avro: object) -> object:
    """An Avro type with every enum replaced by its name."""
    if isinstance(avro, dict):
        return avro["name"] if avro["type"] == "enum" else {key: by_name(value) for key, value in avro.items()}
    return avro


def avro_default(field: msgspec.structs.FieldInfo) -> object:
    """The default of a Struct field as Avro writes it."""
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if isinstance(default, bytes):
        return default.decode("latin-1")
    return list(default) if isinstance(default, tuple) else default


def enums_in(avro: object) -> list[dict[str, Any]]:
    """Every enum defined inside a schema."""
    if isinstance(avro, list):
        return [found for item in avro for found in enums_in(item)]
    if not isinstance(avro, dict):
        return []
    return ([avro] if avro.get("type") == "enum" else []) + [
        found for value in avro.values() for found in enums_in(value)
    ]


@every_record
def test_a_struct_and_its_avro_file_have_the_same_fields_and_types(record_type: type[msgspec.Struct]) -> None:
    schema = schema_of(record_type)
    assert (schema["namespace"], schema["name"]) == ("perennial", record_type.__name__)
    assert {field["name"]: by_name(field["type"]) for field in schema["fields"]} == {
        field.name: avro_type(field.type) for field in msgspec.structs.fields(record_type)
    }


@every_record
def test_a_struct_and_its_avro_file_have_the_same_defaults(record_type: type[msgspec.Struct]) -> None:
    written = {field["name"]: field["default"] for field in schema_of(record_type)["fields"] if "default" in field}
    assert written == {
        field.name: avro_default(field) for field in msgspec.structs.fields(record_type) if not field.required
    }


@every_record
def test_enums_mirror_the_vocabulary_and_name_a_default_symbol(record_type: type[msgspec.Struct]) -> None:
    for found in enums_in(schema_of(record_type)):
        assert found["symbols"] == [member.value for member in ENUMS[found["name"]]]
        assert found["default"] == found["symbols"][0]
        assert found["default"] in {"unspecified", "unknown"}


@every_record
def test_every_field_says_its_meaning_and_its_personal_data_mark(record_type: type[msgspec.Struct]) -> None:
    for field in schema_of(record_type)["fields"]:
        assert field["doc"].endswith("."), field["name"]
        assert field["personal"] in PERSONAL, field["name"]


@every_record
def test_every_instant_and_amount_says_its_unit(record_type: type[msgspec.Struct]) -> None:
    measured = re.compile(r"(_ms|_on|_minor|_basis_points)$")
    fields = schema_of(record_type)["fields"]
    assert [field["name"] for field in fields if measured.search(field["name"]) and "unit" not in field] == []
    names = {field["name"] for field in fields}
    assert "amount_minor" not in names or "currency" in names


@every_record
def test_no_schema_has_a_union_that_would_have_to_grow(record_type: type[msgspec.Struct]) -> None:
    for text in released_schemas(record_type):
        assert [field["name"] for field in json.loads(text)["fields"] if isinstance(field["type"], list)] == []


def test_every_record_of_the_catalogue_has_a_schema_and_every_schema_a_topic() -> None:
    topics = catalogue(application="renewals", channels=tuple(Channel))
    assert {kind for topic in topics for kind in topic.records} == set(RECORD_TYPES)


def test_what_is_released_never_changes() -> None:
    released = json.loads(AVRO_FOLDER.joinpath("released.json").read_bytes())
    now = state_of_files()
    changed = {name: now.get(name) for name, then in released.items() if now.get(name) != then}
    assert changed == {}, "a released file never changes: write a .v<N+1>.avsc with defaults instead"


def test_every_file_is_released_under_an_id_of_its_own() -> None:
    released = json.loads(AVRO_FOLDER.joinpath("released.json").read_bytes())
    assert set(released) == {path.name for path in AVRO_FOLDER.glob("*.avsc")}
    assert state_of_files() == released, "add the new file, its id and its digest to registry.json and released.json"
    assert len({entry["id"] for entry in released.values()}) == len(released)


def state_of_files() -> dict[str, dict[str, object]]:
    """Id and digest of every registered file as it is now."""
    registered = json.loads(AVRO_FOLDER.joinpath("registry.json").read_bytes())
    return {
        name: {"id": int(number), "sha256": hashlib.sha256(AVRO_FOLDER.joinpath(name).read_bytes()).hexdigest()}
        for number, name in registered.items()
    }


def test_the_changelog_keeps_any_input_of_a_held_customer() -> None:
    topics = {one.name: one for one in catalogue(application="a", channels=())}
    largest = max(topics[name].max_message_bytes for name in (*HOLDING, RECEIPT, ENGAGEMENT))
    assert topics[changelog_topic("a")].max_message_bytes >= largest + 64 * 1024
