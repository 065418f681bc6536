"""What a stranger's schema may look like: reading by it must end, whatever the bytes say.

Two Avro schemas are legal and deadly: one that contains itself (a megabyte of bytes nests a million deep, past the end
of the C stack), and a list of things that take no bytes (eight bytes name a list of 2^62 of them). Neither is ever
needed for a record of ours.
"""

from collections.abc import Mapping

from schemas.errors import Undecodable

_DEEPEST = 32
_NAMED = frozenset({"record", "error", "enum", "fixed"})


def check_bounded(schema: object) -> None:
    """Raise Undecodable where reading by this schema (parsed JSON) might not end; the message says why."""
    _least_bytes(schema, {}, 0)


def _least_bytes(schema: object, known: dict[str, int | None], depth: int) -> int:
    """Give the fewest bytes that a value takes; `known` holds named types, those still open as None."""
    if depth > _DEEPEST:
        raise Undecodable(f"the record's schema nests deeper than {_DEEPEST}")
    if isinstance(schema, list):
        for branch in schema:
            _least_bytes(branch, known, depth + 1)
        return 1  # the number of the branch
    if isinstance(schema, str):
        return _named(schema, known)
    if not isinstance(schema, Mapping):
        raise Undecodable("the record's schema is no Avro schema")
    return _complex(schema, known, depth)


def _complex(schema: Mapping[str, object], known: dict[str, int | None], depth: int) -> int:
    kind, name = schema.get("type"), str(schema.get("name", "")).rpartition(".")[2]
    if not isinstance(kind, str) or kind not in _NAMED | {"array", "map"}:
        return _least_bytes(kind, known, depth + 1)
    if kind == "array" and _least_bytes(schema.get("items"), known, depth + 1) == 0:
        raise Undecodable("the record's schema has a list of things that take no bytes")
    if kind == "map":
        _least_bytes(schema.get("values"), known, depth + 1)
    if kind not in _NAMED:
        return 1  # the count that ends it
    known[name] = None
    known[name] = size = _size(kind, schema, known, depth)
    return size


def _size(kind: str, schema: Mapping[str, object], known: dict[str, int | None], depth: int) -> int:
    if kind == "enum":
        return 1
    if kind == "fixed":
        size = schema.get("size")
        return size if isinstance(size, int) else 0
    fields = schema.get("fields")
    if not isinstance(fields, list) or not all(isinstance(field, Mapping) for field in fields):
        raise Undecodable("the record's schema is no Avro schema: a record without fields")
    return sum(_least_bytes(field.get("type"), known, depth + 1) for field in fields)


def _named(name: str, known: dict[str, int | None]) -> int:
    size = known.get(name.rpartition(".")[2], 0 if name == "null" else 1)
    if size is None:
        raise Undecodable("the record's schema contains itself")
    return size
