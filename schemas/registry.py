"""Which schema a number stands for: the contract of a registry, and the one that is packaged with this release."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Protocol

import msgspec

from schemas.errors import UnknownSchema

AVRO_FOLDER = Path(__file__).with_name("avro")
NAMESPACE = "perennial"
_VERSION = re.compile(r"\.v(\d+)\.avsc$")
_HUMP = re.compile(r"(?<!^)(?=[A-Z])")


class Registry(Protocol):
    """Tells the schema of an id and the id of a schema; ids never change their meaning."""

    def schema_of(self, schema_id: int) -> str:
        """Give the Avro schema, as JSON text, that records with this id were written with.

        Raises:
            UnknownSchema: the registry is certain not to know it.
            SchemaUnavailable: it cannot tell now; ask again later (law 4).
        """

    def id_of(self, subject: str, schema: str) -> int:
        """Give the id under which records of this schema are written; `subject` is the record's full name.

        Raises:
            UnknownSchema: the registry refuses the schema.
            SchemaUnavailable: it cannot tell now; ask again later.
        """


class PackagedRegistry:
    """The registry of this release: `schemas/avro/registry.json`, ids fixed for ever."""

    def __init__(self) -> None:
        listed = json.loads(AVRO_FOLDER.joinpath("registry.json").read_bytes())
        self._schemas = {int(number): AVRO_FOLDER.joinpath(name).read_text("utf-8") for number, name in listed.items()}
        self._ids = {schema: number for number, schema in self._schemas.items()}

    def schema_of(self, schema_id: int) -> str:
        """Look the id up in the packaged file; what is not there is unknown for good."""
        try:
            return self._schemas[schema_id]
        except KeyError:
            raise UnknownSchema(
                f"schema id {schema_id} is not in the packaged registry file: a newer release wrote the record, "
                "or with a schema registry; upgrade, or set SCHEMA_REGISTRY_URL"
            ) from None

    def id_of(self, subject: str, schema: str) -> int:
        """Look the schema up in the packaged file."""
        try:
            return self._ids[schema]
        except KeyError:
            raise UnknownSchema(f"the schema of {subject} is not in the packaged registry file") from None


def full_name(record_type: type[msgspec.Struct]) -> str:
    """Give the Avro name of a record type, which is also its subject in a registry."""
    return f"{NAMESPACE}.{record_type.__name__}"


def released_schemas(record_type: type[msgspec.Struct]) -> tuple[str, ...]:
    """Give every released version of a record's schema as JSON text, oldest first."""
    snake = _HUMP.sub("_", record_type.__name__).lower()
    files = sorted(AVRO_FOLDER.glob(f"{snake}.v*.avsc"), key=_version_of)
    return tuple(file.read_text("utf-8") for file in files)


@cache
def current_schema(record_type: type[msgspec.Struct]) -> str:
    """Give the newest released schema of a record type, which is the one that we write."""
    return released_schemas(record_type)[-1]


def _version_of(file: Path) -> int:
    found = _VERSION.search(file.name)
    return int(found[1]) if found else 0
