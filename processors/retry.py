"""What a failed attempt leads to: again later, given up, or looked at anew (law 6)."""

from enum import Enum, auto

from processors.calendar import WEEK_MS
from processors.policy import Policy
from processors.windows import hours_end_ms, next_opening_ms
from schemas.events import ReceiptGiven
from schemas.vocabulary import Outcome, ReceiptReason

MOST_ATTEMPTS = 12  # of one revision: refusals that never end must end
FENCE_STANDS_MS = WEEK_MS  # after the last send-by it concerns


class Remedy(Enum):
    """What a definite refusal asks for."""

    JUDGE_ANEW = auto()
    LATER = auto()
    COMPLETE_CONTACT = auto()
    GIVE_UP = auto()


_BY_REASON = {
    ReceiptReason.FENCED: Remedy.JUDGE_ANEW,
    ReceiptReason.STOPPED: Remedy.JUDGE_ANEW,
    ReceiptReason.CANCELLED: Remedy.JUDGE_ANEW,
    ReceiptReason.NO_CONTACT: Remedy.COMPLETE_CONTACT,
    ReceiptReason.CONTACT_INVALID: Remedy.COMPLETE_CONTACT,
    ReceiptReason.NOT_ON_ALLOW_LIST: Remedy.GIVE_UP,
    ReceiptReason.RENDERING_REFUSED: Remedy.GIVE_UP,
}


def remedy_for(receipt: ReceiptGiven) -> Remedy:
    """What a definite refusal asks for, by its reason first, by its outcome else."""
    remedy = _BY_REASON.get(receipt.reason)
    if remedy is not None:
        return remedy
    return Remedy.GIVE_UP if receipt.outcome is Outcome.PERMANENT_FAILURE else Remedy.LATER


def delay_ms(failures: int, policy: Policy) -> int | None:
    """How long to wait after so many failures of a touch; None when they were enough."""
    delays = policy.delivery.retry_after_ms
    return delays[failures - 1] if failures <= len(delays) else None


def next_attempt_ms(at_ms: int, zone: str, policy: Policy, closes_at_ms: int) -> int | None:
    """The first instant from `at_ms` on that lies in send hours and before the close; None when there is none."""
    if at_ms >= closes_at_ms:
        return None  # a provider may ask for a wait beyond every calendar
    inside = hours_end_ms(at_ms, zone, policy.send_hours) is not None
    found_ms = at_ms if inside else next_opening_ms(at_ms, zone, policy.send_hours)
    return found_ms if found_ms < closes_at_ms else None
