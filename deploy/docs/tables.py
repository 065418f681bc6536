"""Markdown tables of topics and records, from the catalogue and the Avro files."""

import json
from typing import Any

from deploy.docs.markdown import page, table
from schemas.registry import current_schema
from schemas.topics import DAY_MS, Cleanup, Topic, catalogue
from schemas.vocabulary import Channel


def topics_document() -> str:
    """List every topic with its key, records, retention, writers and readers."""
    topics = catalogue(application="renewals", channels=(Channel.EMAIL,))
    rows = (
        (
            f"`{topic.name}`",
            topic.purpose,
            topic.key,
            ", ".join(record.__name__ for record in topic.records) or "private",
            _kept(topic),
            ", ".join(topic.writers),
            ", ".join(topic.readers),
        )
        for topic in topics
    )
    heading = ("topic", "what for", "key", "records", "kept", "written by", "read by")
    return page("Topics", "All have the same number of partitions.", table(heading, rows))


def records_document() -> str:
    """List every record with the meaning, unit and personal-data mark of its fields."""
    topics = catalogue(application="renewals", channels=(Channel.EMAIL,))
    records = dict.fromkeys(record for topic in topics for record in topic.records)
    schemas = [json.loads(current_schema(record)) for record in records]
    sections = [f"## {schema['name']}\n\n{schema['doc']}\n\n{_fields(schema)}" for schema in schemas]
    mark = "Personal data: `none`, `pseudonym` (an id of a customer or employee) or `contact` (encrypted or sealed)."
    return page("Records", mark, "\n".join(sections))


def _fields(schema: dict[str, Any]) -> str:
    rows = (
        (
            f"`{field['name']}`",
            _type(field["type"]),
            "required" if "default" not in field else f"`{json.dumps(field['default'])}`",
            field["doc"],
            field.get("unit", ""),
            field["personal"],
        )
        for field in schema["fields"]
    )
    return table(("field", "type", "default", "meaning", "unit", "personal"), rows)


def _type(avro: Any) -> str:  # noqa: ANN401  a schema inside a schema: text or object
    if isinstance(avro, str):
        return avro
    if avro["type"] == "enum":
        return "one of " + ", ".join(avro["symbols"])
    if avro["type"] in {"array", "map"}:
        inner = avro.get("items") or avro.get("values")
        return f"{avro['type']} of {_type(inner)}"
    return str(avro.get("logicalType", avro["type"]))


def _kept(topic: Topic) -> str:
    if topic.cleanup is Cleanup.COMPACT:
        return "newest of each key"
    return "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // DAY_MS} days"
