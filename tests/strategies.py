"""Hypothesis strategies for every record of the published language, nasty text included (R14)."""

import enum
import typing
from datetime import date

import msgspec
from hypothesis import strategies as st

from schemas import events, outputs
from tests.builders import NASTY_NAMES

RECORD_TYPES: tuple[type[msgspec.Struct], ...] = (
    events.CustomerChanged,
    events.ContractChanged,
    events.PaymentRecorded,
    events.EngagementSeen,
    events.ReceiptGiven,
    events.RequestMade,
    events.PolicyPublished,
    events.Tick,
    outputs.SendTouch,
    outputs.DecisionMade,
    outputs.TaskOpened,
    outputs.FenceRaised,
    outputs.HeartbeatSent,
    outputs.LedgerRow,
    outputs.DeadLetter,
    outputs.ContactChanged,
    outputs.ContactKeyWrapped,
)


def texts(max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that UTF-8 can carry, with the nasty names often."""
    return st.sampled_from(NASTY_NAMES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)


def longs() -> st.SearchStrategy[int]:
    """Any number that Avro's `long` can carry."""
    return st.integers(min_value=-(2**63), max_value=2**63 - 1)


def records() -> st.SearchStrategy[msgspec.Struct]:
    """Any record of any type, every field at will."""
    return st.one_of([records_of(record_type) for record_type in RECORD_TYPES])


def records_of(record_type: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Any record of one type; each field takes any value that its type allows, sense or not."""
    return st.builds(record_type, **{field.name: _of(field.type) for field in msgspec.structs.fields(record_type)})


def _of(kind: typing.Any) -> st.SearchStrategy[typing.Any]:  # noqa: ANN401  annotations have no type of their own
    plain = getattr(kind, "__supertype__", kind)
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        return st.sampled_from(plain)
    if typing.get_origin(plain) is tuple:
        return st.lists(_of(typing.get_args(plain)[0]), max_size=4).map(tuple)
    if typing.get_origin(plain) is dict:
        return st.dictionaries(texts(), _of(typing.get_args(plain)[1]), max_size=4)
    return _PLAIN[plain]


_PLAIN: dict[object, st.SearchStrategy[typing.Any]] = {
    str: texts(),
    int: longs(),
    bool: st.booleans(),
    bytes: st.binary(max_size=60),
    date: st.dates(),
}
