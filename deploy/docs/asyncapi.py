"""The AsyncAPI 3.0 document of every topic: what is in it, who writes it, who reads it."""

import json
from collections.abc import Iterator
from importlib.metadata import version

import msgspec

from deploy.topics import settings_of
from schemas.registry import current_schema
from schemas.topics import DEFAULT_PARTITIONS, Topic, catalogue
from schemas.vocabulary import Channel

_AVRO = "application/vnd.apache.avro+json;version=1.9.0"
_BINDING_VERSION = "0.5.0"
_DESCRIPTION = (
    "Every fact that Perennial reads and every record it writes travels through these Kafka topics. Values are Avro "
    "behind Confluent's five-byte header (magic byte 0, schema id); keys are UTF-8 and find partitions by murmur2. "
    "An installation may put a prefix before every name."
)


def asyncapi_document() -> str:
    """Write the document as JSON; the same code gives the same text."""
    topics = catalogue(application="renewals", channels=(Channel.EMAIL,))
    records = dict.fromkeys(record for topic in topics for record in topic.records)
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "Perennial", "version": version("perennial"), "description": _DESCRIPTION},
        "defaultContentType": "application/vnd.apache.avro",
        "channels": {_channel_id(topic): _channel(topic) for topic in topics},
        "operations": dict(operation for topic in topics for operation in _operations(topic)),
        "components": {"messages": {record.__name__: _message(record) for record in records}},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _channel_id(topic: Topic) -> str:
    return topic.name.replace(".", "_").replace("-", "_")


def _channel(topic: Topic) -> dict[str, object]:
    return {
        "address": topic.name,
        "title": topic.purpose,
        "description": f"Key: {topic.key}. Writers: {', '.join(topic.writers)}. Readers: {', '.join(topic.readers)}.",
        "messages": {record.__name__: {"$ref": f"#/components/messages/{record.__name__}"} for record in topic.records},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": DEFAULT_PARTITIONS,
                "topicConfiguration": _configuration(topic),
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _configuration(topic: Topic) -> dict[str, object]:
    settings = settings_of(topic)
    return {
        "cleanup.policy": [settings.pop("cleanup.policy")],
        **{name: int(value) if value.lstrip("-").isdigit() else value for name, value in settings.items()},
    }


def _operations(topic: Topic) -> Iterator[tuple[str, dict[str, object]]]:
    """Name who sends to a topic and who receives from it, one operation each."""
    for action, parties in (("send", topic.writers), ("receive", topic.readers)):
        for party in parties:
            name = "".join(sign if sign.isalnum() else "_" for sign in party.lower()).strip("_")
            yield (
                f"{name}_{action}s_{_channel_id(topic)}",
                {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{_channel_id(topic)}"},
                    "title": f"{party} {'writes' if action == 'send' else 'reads'} {topic.name}",
                },
            )


def _message(record: type[msgspec.Struct]) -> dict[str, object]:
    schema = json.loads(current_schema(record))
    return {
        "name": record.__name__,
        "title": record.__name__,
        "summary": schema["doc"],
        "payload": {"schemaFormat": _AVRO, "schema": schema},
        "bindings": {
            "kafka": {
                "key": {"type": "string"},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }
