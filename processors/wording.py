"""Names, amounts, shares and dates as people read them, each refused where it cannot be said right (R14, R61). Pure."""

import re
import unicodedata
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent, get_currency_precision, list_currencies

LONGEST_VALUE_CHARACTERS = 1_000
_CURRENCIES = frozenset(list_currencies())
# CLDR counts the coins people still use, ISO 4217 what "minor units" means; only these differ
_TWO_DECIMALS = ("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER")
_ISO_DECIMALS = {"IQD": 3} | dict.fromkeys(_TWO_DECIMALS, 2)
_LINE_BREAKERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
)  # C0 and C1 controls: CR, LF, NUL, VT, FF, U+0085 included
_MOJIBAKE = "\ufffd"
_LINK = re.compile(r"https?://[!-~]+\Z")
_ENGLISH = Locale("en")


class RenderingRefused(ValueError):
    """A touch cannot be put into words; the message names the field, never its content."""


def plain(value: str, field: str) -> str:
    """A value as one line of NFC text without surrounding blanks; may be empty.

    Raises:
        RenderingRefused: it is too long, breaks lines, or was decoded wrongly somewhere before us.
    """
    if len(value) > LONGEST_VALUE_CHARACTERS:
        raise RenderingRefused(f"{field}: longer than {LONGEST_VALUE_CHARACTERS} characters")
    text = unicodedata.normalize("NFC", value).strip()
    if _LINE_BREAKERS.search(text):
        raise RenderingRefused(f"{field}: holds a control character or a line break")
    if _MOJIBAKE in text or any(unicodedata.category(character) == "Cs" for character in text):
        raise RenderingRefused(f"{field}: was decoded wrongly before it reached us")
    return text


def required(value: str, field: str) -> str:
    """A value that a message cannot do without."""
    text = plain(value, field)
    if not text:
        raise RenderingRefused(f"{field}: is missing")
    return text


def money(amount_minor: int, currency: str) -> str:
    """An amount with the currency's decimals and its ISO code, such as `12,000.00 CNY`; empty when none was given."""
    if not currency and not amount_minor:
        return ""
    if currency not in _CURRENCIES:
        raise RenderingRefused("currency: is no ISO 4217 code")
    if amount_minor < 0:
        raise RenderingRefused("amount: is negative")
    decimals = _ISO_DECIMALS.get(currency, get_currency_precision(currency))
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    amount = Decimal(amount_minor).scaleb(-decimals)
    return f"{format_decimal(amount, format=pattern, locale=_ENGLISH)} {currency}"


def share(basis_points: int) -> str:
    """A share in percent, such as `12.5%`."""
    if not 0 <= basis_points <= 10_000:  # noqa: PLR2004  a discount is between nothing and everything
        raise RenderingRefused("discount: is not between 0% and 100%")
    return str(format_percent(Decimal(basis_points).scaleb(-4), format="#,##0.##%", locale=_ENGLISH))


def count(number: int, field: str) -> str:
    """A whole number of things."""
    if number < 0:
        raise RenderingRefused(f"{field}: is negative")
    return str(format_decimal(number, locale=_ENGLISH))


def day(on: date, language: str) -> str:
    """A date in words, such as `31 December 2026` or `2026年12月31日`."""
    return format_date(on, format="long", locale=Locale("en", "GB") if language == "en" else Locale(language))


def link(value: str, field: str) -> str:
    """A web address that may stand in a message; empty when none was given."""
    text = plain(value, field)
    if text and not _LINK.match(text):
        raise RenderingRefused(f"{field}: is no http or https address")
    return text
