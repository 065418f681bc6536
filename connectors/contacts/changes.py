"""From records to changes of the contact store; a tombstone is an erasure, and so is the fence that outlives it."""

import structlog

from connectors.ports import ContactChange, ContactErased, ContactPut, KeyPut, KeysErased
from schemas import topics
from schemas.codec import Codec
from schemas.errors import Refused
from schemas.outputs import ContactChanged, ContactKeyWrapped, FenceRaised
from schemas.transport.records import Record
from schemas.vocabulary import FenceKind

_ERASED = f"{FenceKind.ERASED.value}|".encode()

_log = structlog.get_logger(__name__)


def changes_of(record: Record, codec: Codec) -> list[ContactChange]:
    """The change that a record asks for; one that cannot be read changes nothing and is told by its place."""
    customer_id = (record.key or b"").decode("utf-8", "replace")
    try:
        if record.topic == topics.FENCE:
            return _erasure(record, codec)
        if record.topic == topics.CONTACT:
            return [_contact(customer_id, record.value, codec)]
        return [_key(customer_id, record.value, codec)]
    except Refused as error:
        _log.error(
            "contact_unreadable",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=type(error).__name__,
        )
        return []


def _contact(customer_id: str, value: bytes | None, codec: Codec) -> ContactChange:
    if value is None:
        return ContactErased(customer_id=customer_id)
    told = codec.decode(value, ContactChanged)
    return ContactPut(customer_id=customer_id, version=told.version, key_id=told.key_id, fields=told.fields)


def _erasure(record: Record, codec: Codec) -> list[ContactChange]:
    """An erased fence: compaction may leave a late contact as the only record of its topic, the fence stays."""
    if record.value is None or not (record.key or b"").startswith(_ERASED):
        return []
    told = codec.decode(record.value, FenceRaised)
    return [ContactErased(customer_id=told.customer_id), KeysErased(customer_id=told.customer_id)]


def _key(customer_id: str, value: bytes | None, codec: Codec) -> ContactChange:
    if value is None:
        return KeysErased(customer_id=customer_id)
    told = codec.decode(value, ContactKeyWrapped)
    return KeyPut(customer_id=customer_id, key_id=told.key_id, wrapped_key=told.wrapped_key)
