"""C10: what the customer read is what was bound at release, cleanly rendered."""

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache

from schemas.events import ContractChanged
from schemas.outputs import SendTouch
from tests.oracle.bundle import Contact, InboxRow
from tests.oracle.reasons import CONTACT_CACHE_MS
from tests.oracle.run import Run
from tests.oracle.violation import Violation

_FRACTION_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
_LEFTOVERS = re.compile(r"\b(?:null|None|undefined|NaN)\b|\{\{|\{%|\ufffd")
_INVISIBLE = frozenset({"Cc", "Cf"})


def wrongly_worded(run: Run) -> Iterator[Violation]:
    """Mails whose facts are of no version in force, commands bound to none, and leftovers of rendering."""
    for touch in run.expected.values():
        for row in run.inbox.get(touch.touch, ()):
            ordered = run.command_of(touch.touch, row.key, row.attempt)
            if ordered is not None:
                versions = touch.contracts_at(ordered.command.decided_at_ms, ordered.appended_at_ms)
                contacts = run.contacts_at(touch.customer_id, row.received_ms, CONTACT_CACHE_MS)
                for says in _faults(row, ordered.command, versions, contacts):
                    yield Violation(
                        check="C10", says=f"row {row.seq}: {says}", touch=touch.touch, customer_id=touch.customer_id
                    )


def money(amount_minor: int, currency: str) -> str:
    """Write an amount as a mail must contain it, such as `12,000.00 CNY`."""
    digits = _FRACTION_DIGITS.get(currency, 2)
    return f"{Decimal(amount_minor).scaleb(-digits):,.{digits}f} {currency}"


def plain(text: str) -> str:
    """Bring a text into the form in which two texts are compared: NFC, nothing invisible, single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.translate(_invisible()).split())


@cache
def _invisible() -> dict[int, None]:
    """Every character that is neither seen nor a space."""
    return {
        point: None
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in _INVISIBLE and not chr(point).isspace()
    }


def _faults(
    row: InboxRow, command: SendTouch, versions: Iterable[ContractChanged], contacts: list[Contact]
) -> Iterator[str]:
    bound = [version for version in versions if _is_bound_to(command, version)]
    if not bound:
        yield "its command is bound to no contract version in force at its release"
        return
    text = plain(row.text)
    names = [plain(contact.name) for contact in contacts if contact.name and plain(contact.name)]
    if names and not any(name in text for name in names):
        yield "it does not name the contact in force"
    wanted = [("product", plain(bound[-1].product_name)), ("end date", bound[-1].expires_on.isoformat())]
    if bound[-1].currency:
        wanted.append(("amount", money(bound[-1].amount_minor, bound[-1].currency)))
    yield from (f"its {name} is missing or wrong" for name, value in wanted if value not in text)
    if leftover := _leftover(f"{row.subject}\n{row.text}", bound[-1], names):
        yield f"it holds {leftover!r} outside of the values put in"


def _is_bound_to(command: SendTouch, version: ContractChanged) -> bool:
    return (command.contract_version, command.amount_minor, command.currency, command.expires_on) == (
        version.version,
        version.amount_minor,
        version.currency,
        version.expires_on,
    )


def _leftover(text: str, version: ContractChanged, names: Iterable[str]) -> str:
    """Find what a template left behind, once the values put in are taken out (a customer may be called Null)."""
    left = plain(text)
    values = [*names, version.product_name, version.product_edition, version.special_terms, version.renewal_link]
    for value in sorted({plain(value) for value in values if value}, key=len, reverse=True):
        left = left.replace(value, " ")
    found = _LEFTOVERS.search(left)
    return found.group() if found else ""
