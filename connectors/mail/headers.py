"""What may stand in a mail header, by our own check: no line break of any kind, no address that is two (S06)."""

import re
from email.headerregistry import Address, HeaderRegistry
from email.policy import Policy
from functools import cache
from typing import Any, Self
from urllib.parse import quote

from email_validator import EmailNotValidError, validate_email

_BREAKERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # CR, LF, NUL, VT, FF, U+0085 and their kind
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # may make a name read as an address
_ENCODED_WORD = "=?"  # a reader would decode what stands behind it, line breaks included
_LONGEST_NAME_CHARACTERS = 200
_LONGEST_LINE_CHARACTERS = 990  # RFC 5322 allows 998 with the name's colon and blank
_KEY_SAFE = "|:._~!$'()*+,;=@/"


class HeaderRefused(ValueError):
    """A value must not stand in a header; the message names the field, never its content."""


class AddressRefused(ValueError):
    """What is no single, plain e-mail address."""


class PlainHeader(str):
    """A checked ASCII value that goes out on one line as it stands: keys and tokens, which must not be folded."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str, value: str) -> Self:
        """Check the value; raises HeaderRefused."""
        if not value.isascii() or _BREAKERS.search(value) or len(name) + len(value) > _LONGEST_LINE_CHARACTERS:
            raise HeaderRefused(f"{name}: is no single line of ASCII")
        made = super().__new__(cls, value)
        made.name = name
        return made

    def fold(self, *, policy: "Policy[Any]") -> str:
        """The line as the generator writes it."""
        return f"{self.name}: {self}{policy.linesep}"


class KnownHeaders(HeaderRegistry):
    """The library's registry, which otherwise makes a new class for every header of every message."""

    __getitem__ = cache(HeaderRegistry.__getitem__)


def header_text(value: str, field: str) -> str:
    """A value that may stand in a header as it is; raises HeaderRefused."""
    if _BREAKERS.search(value):
        raise HeaderRefused(f"{field}: holds a control character or a line break")
    if _ENCODED_WORD in value:
        raise HeaderRefused(f"{field}: holds an encoded word")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise HeaderRefused(f"{field}: is no Unicode text") from None
    return value


def ascii_address(value: str) -> str:
    """One address in the form that goes over the wire: ASCII local part, domain in punycode.

    Raises:
        AddressRefused: a list, a quoted or non-ASCII local part, a domain literal, controls, too long.
    """
    if _BREAKERS.search(value):
        raise AddressRefused("the address holds a control character or a line break")
    try:
        found = validate_email(
            value, check_deliverability=False, allow_smtputf8=False, allow_quoted_local=False, test_environment=True
        )
    except (EmailNotValidError, UnicodeError) as error:
        raise AddressRefused(f"the address is not valid: {type(error).__name__}") from None
    if found.ascii_email is None:
        raise AddressRefused("the address has no ASCII form")
    return found.ascii_email


def mailbox(name: str, address: str) -> Address:
    """A name and an address for a header; a name that would mislead its reader is left out, the mail goes without.

    Raises:
        HeaderRefused: the name breaks a line.
    """
    is_misleading = _ENCODED_WORD in name or _DIRECTION.search(name) or len(name) > _LONGEST_NAME_CHARACTERS
    local, _, domain = address.rpartition("@")
    shown = "" if is_misleading else name
    return Address(display_name=header_text(shown, "name"), username=local, domain=domain)


def header_key(touch_key: str) -> str:
    """A touch key as ASCII: percent-encoded, the percent sign included, so that decoding always gives the key back."""
    return quote(touch_key, safe=_KEY_SAFE)
