"""The gate refuses what would break a reader and passes what would not (F14: 40 of 40, both ways)."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from schemas import events, outputs
from schemas.compatibility import broken_promises, problems_between
from schemas.registry import current_schema, released_schemas

Change = Callable[[dict[str, Any]], object]  # edits a schema in place

RECORDS = (events.ContractChanged, events.CustomerChanged, outputs.SendTouch, events.PaymentRecorded)


def field(schema: dict[str, Any], where: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first field that satisfies a condition."""
    return next(known for known in schema["fields"] if where(known))


def is_type(*types: object) -> Callable[[dict[str, Any]], bool]:
    return lambda known: known["type"] in types


def is_enum(known: dict[str, Any]) -> bool:
    return isinstance(known["type"], dict) and known["type"]["type"] == "enum"


def is_map(known: dict[str, Any]) -> bool:
    return isinstance(known["type"], dict) and known["type"]["type"] == "map"


def required(known: dict[str, Any]) -> bool:
    return "default" not in known


def optional(known: dict[str, Any]) -> bool:
    return "default" in known and not is_enum(known)


def add(kind: object, **attributes: object) -> Change:
    return lambda schema: schema["fields"].append({"name": "added", "type": kind} | attributes)


def remove(where: Callable[[dict[str, Any]], bool]) -> Change:
    return lambda schema: schema["fields"].remove(field(schema, where))


def alter(where: Callable[[dict[str, Any]], bool], **attributes: object) -> Change:
    return lambda schema: field(schema, where).update(attributes)


def alter_enum(change: Change) -> Change:
    return lambda schema: change(field(schema, is_enum)["type"])


def without_default_but_with_a_symbol(enum: dict[str, Any]) -> None:
    enum["symbols"].append("added")
    del enum["default"]


NEW_ENUM = {"type": "enum", "name": "Added", "symbols": ["unspecified", "x"], "default": "unspecified"}
DATE = {"type": "int", "logicalType": "date"}

INCOMPATIBLE: dict[str, Change] = {
    "a required field comes": add("string"),
    "a required enum comes, its own default does not help": add(NEW_ENUM),
    "a required field goes": remove(required),
    "a required field is renamed": alter(required, name="renamed"),
    "text becomes a number": alter(is_type("string"), type="long"),
    "text becomes bytes": alter(is_type("string"), type="bytes"),
    "a number becomes text": alter(is_type("long"), type="string", default="x"),
    "a number becomes narrower": alter(is_type("long"), type="int"),
    "a number becomes a fraction": alter(is_type("long"), type="double"),
    "text may be null": alter(is_type("string"), type=["null", "string"]),
    "the record is renamed": lambda schema: schema.update(name="Renamed"),
    "an enum is renamed": alter_enum(lambda enum: enum.update(name="Renamed")),
    "a symbol goes": alter_enum(lambda enum: enum["symbols"].pop(1)),
    "a symbol is renamed": alter_enum(lambda enum: enum["symbols"].__setitem__(1, "renamed")),
    "a symbol comes and the default goes": alter_enum(without_default_but_with_a_symbol),
    "an enum becomes text": alter(is_enum, type="string"),
    "a map of texts becomes one of numbers": alter(is_map, type={"type": "map", "values": "long"}),
    "a number becomes a date": alter(is_type("long"), type={"type": "long", "logicalType": "timestamp-millis"}),
    "a new default does not fit": add("long", default="none"),
    "a new enum's default is no symbol": add(NEW_ENUM, default="y"),
}
COMPATIBLE: dict[str, Change] = {
    "nothing changes": dict,
    "a text comes": add("string", default=""),
    "a number comes": add("long", default=-1),
    "a truth comes": add("boolean", default=False),
    "a fraction comes": add("double", default=0.5),
    "bytes come": add("bytes", default="\u00ff"),
    "a date comes": add(DATE, default=0),
    "a list comes": add({"type": "array", "items": "string"}, default=[]),
    "a map comes": add({"type": "map", "values": "long"}, default={}),
    "an enum comes": add(NEW_ENUM, default="unspecified"),
    "a nullable text comes": add(["null", "string"], default=None),
    "an optional field goes": remove(optional),
    "the order changes": lambda schema: schema["fields"].insert(0, schema["fields"].pop(3)),
    "a required field gets a default": alter(lambda known: required(known) and known["type"] == "string", default=""),
    "a default changes": alter(lambda known: optional(known) and known["type"] == "string", default="x"),
    "a field is explained better": alter(required, doc="Better.", unit="x", personal="contact"),
    "a field gets an alias": alter(required, aliases=["other"]),
    "a symbol comes": alter_enum(lambda enum: enum["symbols"].append("added")),
    "the symbols are in another order": alter_enum(lambda enum: enum["symbols"].reverse()),
    "the record is explained better": lambda schema: schema.update(doc="Better."),
}


def pairs(changes: dict[str, Change]) -> Iterator[Any]:
    """Every change applied to the newest schema of some records, as it is and as it would become."""
    for name, change in changes.items():
        for record in RECORDS:
            schema = json.loads(current_schema(record))
            changed = deepcopy(schema)
            change(changed)
            yield pytest.param(json.dumps(schema), json.dumps(changed), id=f"{record.__name__}: {name}")


def test_the_tables_are_as_long_as_promised() -> None:
    assert min(len(list(pairs(INCOMPATIBLE))), len(list(pairs(COMPATIBLE)))) >= 40


@pytest.mark.parametrize(("older", "newer"), list(pairs(INCOMPATIBLE)))
def test_an_incompatible_change_is_refused(older: str, newer: str) -> None:
    assert older != newer
    assert problems_between(older, newer)


@pytest.mark.parametrize(("older", "newer"), list(pairs(COMPATIBLE)))
def test_a_compatible_change_is_passed(older: str, newer: str) -> None:
    assert problems_between(older, newer) == ()


def test_every_released_version_of_every_record_reads_every_other() -> None:
    assert broken_promises() == ()


def test_a_date_that_becomes_a_number_is_refused() -> None:
    schema = json.loads(current_schema(events.ContractChanged))
    field(schema, is_type(DATE))["type"] = "int"
    assert any(
        "logical type" in problem
        for problem in problems_between(current_schema(events.ContractChanged), json.dumps(schema))
    )


def test_released_versions_are_listed_oldest_first() -> None:
    for record in RECORDS:
        names = [msgspec.json.decode(text)["name"] for text in released_schemas(record)]
        assert names == [record.__name__] * len(names) != []
