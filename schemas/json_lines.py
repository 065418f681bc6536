"""Records as people write them: one JSON object a line, or one row of CSV, read with advice and written back."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache

import msgspec

from schemas import events, outputs
from schemas.errors import InvalidRecord
from schemas.registry import current_schema
from schemas.spelling import spelled_instant, speller

NAMES: dict[str, type[msgspec.Struct]] = {
    "customer": events.CustomerChanged,
    "contract": events.ContractChanged,
    "payment": events.PaymentRecorded,
    "engagement": events.EngagementSeen,
    "receipt": events.ReceiptGiven,
    "request": events.RequestMade,
    "policy": events.PolicyPublished,
    "tick": events.Tick,
    "command": outputs.SendTouch,
    "decision": outputs.DecisionMade,
    "task": outputs.TaskOpened,
    "fence": outputs.FenceRaised,
    "heartbeat": outputs.HeartbeatSent,
    "ledger": outputs.LedgerRow,
    "dead_letter": outputs.DeadLetter,
    "encrypted_contact": outputs.ContactChanged,
    "contact_key": outputs.ContactKeyWrapped,
}
_NAME_OF = {kind: name for name, kind in NAMES.items()}
_NEVER_EMPTY = frozenset({"customer_id", "contract_id", "payment_id"})
_CURRENCY_LETTERS = 3
_EVENT_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDetails:
    """Names and addresses beside a customer row, in clear: to be encrypted at once (law 7), never shown."""

    name: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """What one line says: a record, and for a customer perhaps the contact details that belong elsewhere."""

    record: msgspec.Struct
    contact: ContactDetails | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """How one field is read."""

    read: Callable[[object], object]
    is_required: bool
    meaning: str


def parse_json_line(text: str | bytes) -> ReadLine:
    """Read one JSON object; `type` names the record, `event_id` may be left out.

    Raises:
        InvalidRecord: the message names the field and what to write; it never repeats names or addresses.
    """
    try:
        row = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        where = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidRecord(f"this is not JSON{where}: write one object a line") from None
    if not isinstance(row, dict):
        raise InvalidRecord('this is not a JSON object: write {"type": "contract", ...}')
    return _read(row)


def parse_csv_row(row: Mapping[str | None, object], *, record: str = "") -> ReadLine:
    """Read one row of `csv.DictReader`; an empty cell is a field not given.

    Args:
        row: columns are field names; `attributes.size` and `contact.email` are entries of a map.
        record: the type of every row when there is no column `type`.

    Raises:
        InvalidRecord: as `parse_json_line`.
    """
    nested: dict[str, object] = {"type": record} if record else {}
    for column, cell in row.items():
        if column is None:
            raise InvalidRecord("the row has more cells than the header: put texts with commas in quotes")
        if not isinstance(cell, str):
            raise InvalidRecord(f"the row ends before the column {column}")
        outer, dot, inner = column.strip().partition(".")
        if cell != "" and dot:
            _inner(nested, outer)[inner] = cell
        elif cell != "":
            nested[outer] = cell
    return _read(nested)


def to_json_line(record: msgspec.Struct) -> str:
    """Write a record as one line that `parse_json_line` reads back to an equal one; defaults are left out."""
    return _json({"type": _NAME_OF[type(record)]} | _told(record))


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise InvalidRecord("the object names a field twice: write each field once")
    return row


def _inner(row: dict[str, object], name: str) -> dict[str, object]:
    inner = row.setdefault(name, {})
    if not isinstance(inner, dict):
        raise InvalidRecord(f"{name} is given twice: once as a column and once as {name}.<name>")
    return inner


def _read(row: dict[str, object]) -> ReadLine:
    name = row.pop("type", None)
    if not isinstance(name, str) or name not in NAMES:
        raise InvalidRecord(f"type: {'missing' if name is None else 'unknown'}; write one of {', '.join(NAMES)}")
    contact = row.pop("contact", None)
    if contact is not None and name != "customer":
        raise InvalidRecord(f"{name}.contact: contact details belong to a row of type customer")
    return ReadLine(record=_record(name, row), contact=None if contact is None else _contact(contact))


def _contact(given: object) -> ContactDetails:
    allowed = ContactDetails.__dataclass_fields__
    if not isinstance(given, dict) or not all(isinstance(part, str) for part in given.values()):
        raise InvalidRecord(f"customer.contact: write a map of texts with {', '.join(allowed)}")
    if strange := sorted(set(given) - set(allowed)):
        raise InvalidRecord(f"customer.contact.{strange[0]}: no such field; there are {', '.join(allowed)}")
    return ContactDetails(**given)


def _record(name: str, row: dict[str, object]) -> msgspec.Struct:
    plan = _plan(NAMES[name])
    values = dict(_values(name, row, plan))
    if "event_id" in plan:
        values.setdefault("event_id", "")
    for key in plan:
        if plan[key].is_required and key not in values:
            raise InvalidRecord(f"{name}.{key}: missing; write: {plan[key].meaning}")
    record = NAMES[name](**values)
    _check(name, record)
    return _identified(record)


def _values(name: str, row: dict[str, object], plan: Mapping[str, _Field]) -> Iterable[tuple[str, object]]:
    """Read each value under the name of its field: `occurred_at` (ISO 8601) becomes `occurred_at_ms`."""
    for given, value in row.items():
        key = f"{given}_ms" if given.endswith("_at") else given
        if key not in plan:
            raise InvalidRecord(f"{name}.{given}: no such field{_nearest(given, plan)}")
        if key != given and key in row:
            raise InvalidRecord(f"{name}.{given}: given twice, also as {key}")
        try:
            yield key, plan[key].read(value) if key == given else spelled_instant(value)
        except InvalidRecord as error:
            raise InvalidRecord(f"{name}.{given}: {error}") from None


def _nearest(given: str, plan: Iterable[str]) -> str:
    nearest = get_close_matches(given, plan, n=1)
    return f"; did you mean {nearest[0]}?" if nearest else f"; there are {', '.join(plan)}"


def _check(name: str, record: msgspec.Struct) -> None:
    """Refuse early what the core would refuse later, while a person still sees the line."""
    for key in sorted(_NEVER_EMPTY & _required(type(record))):
        is_scoped_to_partition = isinstance(record, events.RequestMade) and key == "customer_id"
        if not getattr(record, key) and not is_scoped_to_partition:
            raise InvalidRecord(f"{name}.{key}: empty; every record of this type needs one")
    currency = getattr(record, "currency", "")
    if currency and not (len(currency) == _CURRENCY_LETTERS and currency.isascii() and currency.isupper()):
        raise InvalidRecord(f"{name}.currency: write three capital letters of ISO 4217, such as CNY")
    if isinstance(record, events.ContractChanged) and record.expires_on < record.starts_on:
        raise InvalidRecord(f"{name}.expires_on: {record.expires_on} lies before starts_on {record.starts_on}")


def _identified(record: msgspec.Struct) -> msgspec.Struct:
    """Give a record without an event id one that is the same whenever its content is."""
    if getattr(record, "event_id", "given"):
        return record
    digest = hashlib.sha256(to_json_line(record).encode()).hexdigest()
    return msgspec.structs.replace(record, event_id=f"h-{digest[:_EVENT_ID_DIGITS]}")


def _told(record: msgspec.Struct) -> dict[str, object]:
    """Every required field, and every other one that is not its default."""
    values = msgspec.structs.asdict(record)
    return {
        known.name: values[known.name]
        for known in msgspec.structs.fields(record)
        if known.required or values[known.name] not in (known.default, {})
    }


def _json(value: dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain, separators=(", ", ": "))


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


@cache
def _plan(record_type: type[msgspec.Struct]) -> dict[str, _Field]:
    meanings = {known["name"]: known["doc"] for known in json.loads(current_schema(record_type))["fields"]}
    return {
        known.name: _Field(read=speller(known.type), is_required=known.required, meaning=meanings[known.name])
        for known in msgspec.structs.fields(record_type)
    }


@cache
def _required(record_type: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(known.name for known in msgspec.structs.fields(record_type) if known.required)
