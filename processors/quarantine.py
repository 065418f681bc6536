"""Holding a customer after a refusal, and letting go again (law 4)."""

from msgspec.structs import replace

from processors.draft import Draft
from schemas.errors import StepFailed


def quarantine(draft: Draft, cause: str) -> None:
    """Hold everything; a customer whose judging raises even while held is not woken again before its release."""
    if draft.before.hold and cause == StepFailed.cause:
        draft.silence()
    draft.state = replace(draft.state, hold=cause or "refused")
    draft.review()


def release_quarantine(draft: Draft) -> None:
    """Judge the customer again from the next tick on."""
    draft.state = replace(draft.state, hold="")
    draft.review()
