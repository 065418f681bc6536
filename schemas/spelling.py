"""How people and exports may spell a value of a record, and what to write instead where they must not."""

import base64
import binascii
import enum
import re
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from difflib import get_close_matches

from schemas.errors import InvalidRecord

_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))"
)
_LONG = range(-(2**63), 2**63)
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})


def spelled_date(text: object) -> date:
    """Read a local day: `YYYY-MM-DD`, or year first with `/`, `.`, 年月日 or nothing between (R8)."""
    found = _YEAR_FIRST.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise InvalidRecord(f"{_shown(text)} is not a day: write it as YYYY-MM-DD, year first, without a time")
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        raise InvalidRecord(f"{_shown(text)} is not in the calendar: write a day that exists, as YYYY-MM-DD") from None


def spelled_instant(text: object) -> int:
    """Read an ISO 8601 instant with its zone into UTC epoch milliseconds."""
    advice = "write ISO 8601 with a zone, such as 2026-03-01T09:00:00+08:00 or 2026-03-01T01:00:00Z"
    try:
        instant = datetime.fromisoformat(text.strip()) if isinstance(text, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise InvalidRecord(f"{_shown(text)} is not an instant: {advice}")
    if instant.tzinfo is None:
        raise InvalidRecord(f"{_shown(text)} does not say its zone: {advice}")
    since = instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def speller(kind: typing.Any) -> Callable[[object], object]:  # noqa: ANN401  annotations have no type of their own
    """Give the function that reads a value of this annotation; it raises InvalidRecord with what to write."""
    plain = getattr(kind, "__supertype__", kind)
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        return _words(plain)
    if typing.get_origin(plain) is tuple:
        return _listed(speller(typing.get_args(plain)[0]))
    if typing.get_origin(plain) is dict:
        return _mapped(speller(typing.get_args(plain)[1]))
    return _PLAIN[plain]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRecord("this is text: write it in quotes, so that no leading zero is lost")
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise InvalidRecord("the text has half a character (a lone surrogate): export it again as UTF-8")
    return value


def _number(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,19}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in _LONG:
        raise InvalidRecord(f"{_shown(value)} is not a whole number: write digits only, without separators or decimals")
    return value


def _truth(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        raise InvalidRecord(f"{_shown(value)} is neither true nor false")
    return word in _YES


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRecord("these are bytes: write them as base64") from None


def _words(kind: type[enum.Enum]) -> Callable[[object], enum.Enum]:
    symbols = {str(member.value): member for member in kind}

    def read(value: object) -> enum.Enum:
        word = str(value).strip().lower().replace("-", "_").replace(" ", "_")
        if word not in symbols:
            nearest = get_close_matches(word, symbols, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise InvalidRecord(f"{_shown(value)} is not one of {', '.join(symbols)}{hint}")
        return symbols[word]

    return read


def _listed(item: Callable[[object], object]) -> Callable[[object], tuple[object, ...]]:
    def read(value: object) -> tuple[object, ...]:
        if isinstance(value, str):
            value = [part for part in re.split(r"[;|,]", value) if part.strip()]
        if not isinstance(value, list):
            raise InvalidRecord("this is a list: write [..], or parts with ; between them in CSV")
        return tuple(item(part) for part in value)

    return read


def _mapped(item: Callable[[object], object]) -> Callable[[object], dict[str, object]]:
    def read(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise InvalidRecord('this is a map: write {"name": value}, or a column for each name in CSV')
        return {_text(name): item(part) for name, part in value.items()}

    return read


def _shown(value: object) -> str:
    """Quote a value of a kind that never holds personal data, but not more of it than a person needs."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004  a line on a screen


_PLAIN: dict[object, Callable[[object], object]] = {
    str: _text,
    int: _number,
    bool: _truth,
    bytes: _bytes,
    date: spelled_date,
}
