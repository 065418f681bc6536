"""One broken promise, attributed to its check."""

from dataclasses import dataclass

from tests.oracle.expectation import TouchId


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What was wrong, in a sentence; `touch` is None where no single touch is to blame."""

    check: str
    says: str
    customer_id: str = ""
    touch: TouchId | None = None
