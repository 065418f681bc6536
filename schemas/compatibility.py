"""The gate for schema changes: every released version of a record reads every other one (FULL_TRANSITIVE).

The verdict is the `avro` package's own checker, asked in both directions. It lets five changes pass that would break
us, so we look for these ourselves: a logical type that comes or goes (a date read as a number); text read as bytes or
the reverse; an enum symbol that disappears (with a default the checker calls that compatible, but a payment that once
was `paid` would be read as `unspecified`); an enum that loses its default (the next symbol could not be added);
a default that does not fit its type.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations

import msgspec
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import AvroException
from avro.io import validate
from avro.schema import ArraySchema, EnumSchema, MapSchema, RecordSchema, Schema, UnionSchema, parse

from schemas.registry import released_schemas
from schemas.topics import catalogue
from schemas.vocabulary import Channel


def broken_promises() -> tuple[str, ...]:
    """List what keeps a released version of any record from reading another one; empty when all is well."""
    topics = catalogue(application="any", channels=tuple(Channel))
    records = dict.fromkeys(record for topic in topics for record in topic.records)
    return tuple(f"{record.__name__}: {problem}" for record in records for problem in _problems_of(record))


def problems_between(older: str, newer: str) -> tuple[str, ...]:
    """List why two versions of a schema (JSON text) cannot read each other's records, one sentence each."""
    try:
        before, after = parse(older), parse(newer)
    except AvroException as error:
        return (f"no valid Avro schema: {error}",)
    return (
        *_unread(reader=after, writer=before, direction="the newer version cannot read the older"),
        *_unread(reader=before, writer=after, direction="the older version cannot read the newer"),
        *_changed_meaning(before, after, "/"),
        *_unfit_defaults(after),
    )


def _problems_of(record: type[msgspec.Struct]) -> Iterator[str]:
    for (older_number, older), (newer_number, newer) in combinations(enumerate(released_schemas(record), start=1), 2):
        for problem in problems_between(older, newer):
            yield f"v{older_number} and v{newer_number}: {problem}"


def _unread(*, reader: Schema, writer: Schema, direction: str) -> Iterator[str]:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # avro leaves this one untyped
    result = checker.get_compatibility(reader, writer)
    if result.compatibility is not SchemaCompatibilityType.compatible:
        yield f"{direction}: {', '.join(sorted(result.messages))} at {', '.join(sorted(result.locations))}"


def _changed_meaning(before: Schema, after: Schema, place: str) -> Iterator[str]:
    if _logical_type(before) != _logical_type(after):
        yield f"{place}: the logical type changes from {_logical_type(before)} to {_logical_type(after)}"
    if {before.type, after.type} == {"string", "bytes"}:
        yield f"{place}: text and bytes are not the same"
    if isinstance(before, EnumSchema) and isinstance(after, EnumSchema):
        yield from _lost_words(before, after, place)
    for step, inner_before, inner_after in _inner(before, after):
        yield from _changed_meaning(inner_before, inner_after, f"{place}{step}/")


def _lost_words(before: EnumSchema, after: EnumSchema, place: str) -> Iterator[str]:
    for gone in sorted(set(before.symbols) - set(after.symbols)):
        yield f"{place}: the symbol {gone} disappears"
    if after.props.get("default") not in after.symbols:
        yield f"{place}: the enum needs a default that is one of its symbols"


def _inner(before: Schema, after: Schema) -> Iterable[tuple[str, Schema, Schema]]:
    """Pair the schemas inside two schemas of one kind."""
    if isinstance(before, ArraySchema) and isinstance(after, ArraySchema):
        return [("items", before.items, after.items)]
    if isinstance(before, MapSchema) and isinstance(after, MapSchema):
        return [("values", before.values, after.values)]
    if isinstance(before, UnionSchema) and isinstance(after, UnionSchema):
        known = {schema.type: schema for schema in before.schemas}
        return [(schema.type, known[schema.type], schema) for schema in after.schemas if schema.type in known]
    if isinstance(before, RecordSchema) and isinstance(after, RecordSchema):
        fields = before.fields_dict
        return [(field.name, fields[field.name].type, field.type) for field in after.fields if field.name in fields]
    return []


def _unfit_defaults(schema: Schema) -> Iterator[str]:
    if not isinstance(schema, RecordSchema):
        return
    for field in schema.fields:
        if field.has_default and not _fits(field.type, field.default):
            yield f"/{field.name}/: the default is no value of its type"


def _fits(schema: Schema, default: object) -> bool:
    """Whether a default, as JSON writes it, is a value of its type (of a union's first branch)."""
    kind = schema.schemas[0] if isinstance(schema, UnionSchema) else schema
    if kind.type == "bytes":
        return isinstance(default, str)
    if _logical_type(kind):
        return isinstance(default, int)
    return bool(validate(kind, default))


def _logical_type(schema: Schema) -> str:
    return str(getattr(schema, "logical_type", None) or "")
