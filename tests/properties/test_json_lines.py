"""Law of written lines: what is written is read back equal."""

import msgspec
from hypothesis import given

from schemas.events import ContractChanged
from schemas.json_lines import parse_json_line, to_json_line
from tests.strategies import records

IDS = ("event_id", "customer_id", "contract_id", "payment_id")


@given(records())
def test_every_record_survives_its_line(record: msgspec.Struct) -> None:
    sensible = with_sense(record)
    line = to_json_line(sensible)
    assert "\n" not in line
    assert parse_json_line(line).record == sensible


def with_sense(record: msgspec.Struct) -> msgspec.Struct:
    """The record with what `publish` insists on: ids that are not empty, a currency, an end after the start."""
    changes: dict[str, object] = {name: "x" for name in IDS if getattr(record, name, None) == ""}
    if getattr(record, "currency", ""):
        changes["currency"] = "CNY"
    if isinstance(record, ContractChanged):
        changes["expires_on"] = max(record.starts_on, record.expires_on)
    return msgspec.structs.replace(record, **changes)
