"""Receipts: what a channel's report makes of a touch; it may end an attempt, never begin one (law 1, law 6)."""

from msgspec.structs import replace

from processors.draft import Draft, key_of, revised
from processors.lifecycle import is_withdrawn, withdraw
from processors.retry import Remedy, delay_ms, next_attempt_ms, remedy_for
from processors.state import AT_A_CHANNEL, Stage, Term, Touch
from processors.suppression import ERASED
from processors.windows import Window, place_windows
from schemas.events import ReceiptGiven
from schemas.outputs import DeadLetter
from schemas.vocabulary import DeadLetterKind, Outcome, Reason, Verdict

_ACCEPTED = {Outcome.ACCEPTED: Reason.ACCEPTED, Outcome.DELIVERED: Reason.DELIVERED}
_AWAITS_REPORT = AT_A_CHANNEL | {Stage.UNKNOWN}


def take_receipt(draft: Draft, receipt: ReceiptGiven) -> None:
    """Apply a report on an attempt we know of; a foreign, repeated or outdated one changes nothing (S02)."""
    term = draft.term(receipt.contract_id, receipt.term_id)
    touch = term.touch(receipt.step) if term is not None else None
    if term is None or touch is None or not _is_ours(receipt, term, touch):
        return
    is_current = (receipt.revision, receipt.attempt) == (touch.revision, touch.attempt)
    if receipt.outcome in _ACCEPTED:
        _accept(draft, term, touch, receipt)
    elif is_current and touch.stage in _AWAITS_REPORT:
        if receipt.outcome.is_definite_refusal:
            _refuse(draft, term, touch, receipt)
        else:
            _doubt(draft, term, touch)


def window_of(draft: Draft, term: Term, step: str) -> Window | None:
    """Where a step is placed now; None when the policy no longer has it."""
    policy = draft.policies.current
    if policy is None or term.facts is None:
        return None
    windows = place_windows(term.facts.expires_on, draft.zone(), policy)
    return next((window for window in windows if window.step.name == step), None)


def _is_ours(receipt: ReceiptGiven, term: Term, touch: Touch) -> bool:
    return (
        receipt.channel is touch.channel
        and receipt.attempt > 0
        and receipt.revision >= 0
        and (
            receipt.revision < touch.revision or (receipt.revision, receipt.attempt) <= (touch.revision, touch.attempt)
        )
        and receipt.touch_key == key_of(term, touch.step, touch.channel, receipt.revision)
    )


def _accept(draft: Draft, term: Term, touch: Touch, receipt: ReceiptGiven) -> None:
    reason = _ACCEPTED[receipt.outcome]
    if touch.stage is Stage.SENT and reason in {touch.reason, Reason.ACCEPTED}:
        return
    is_current = (receipt.revision, receipt.attempt) == (touch.revision, touch.attempt)
    if touch.stage is Stage.OUT and not is_current:  # the channel took back its refusal: stop the later attempt
        term = withdraw(draft, term, touch, Reason.ALREADY_SENT)
    touch = replace(revised(touch, Verdict.SENT, reason), stage=Stage.SENT)
    _conclude(draft, term, touch)


def _doubt(draft: Draft, term: Term, touch: Touch) -> None:
    if touch.reason is not Reason.IN_DOUBT:
        _conclude(draft, term, replace(revised(touch, Verdict.UNKNOWN, Reason.IN_DOUBT), stage=Stage.UNKNOWN))


def _refuse(draft: Draft, term: Term, touch: Touch, receipt: ReceiptGiven) -> None:
    waiting = replace(touch, stage=Stage.WAITING)
    if draft.state.erasure is not None:
        _conclude(draft, term, replace(revised(touch, *ERASED), stage=Stage.CLOSED))
    elif is_withdrawn(term, touch):
        _start_next_revision(draft, term, revised(waiting, Verdict.WITHDRAWN, Reason.NOT_SENT))
    else:
        _REMEDIES[remedy_for(receipt)](draft, term, waiting, receipt)


def _start_next_revision(draft: Draft, term: Term, touch: Touch) -> None:
    _record(draft, term, touch)
    draft.put(term.with_touch(replace(touch, revision=touch.revision + 1, attempt=0, failures=0)))


def _judge_anew(draft: Draft, term: Term, touch: Touch, receipt: ReceiptGiven) -> None:
    _conclude(draft, term, revised(touch, Verdict.WITHDRAWN, Reason.NOT_SENT), detail=receipt.reason.value)


def _later(draft: Draft, term: Term, touch: Touch, receipt: ReceiptGiven) -> None:
    is_provider = receipt.outcome is Outcome.TEMPORARY_FAILURE
    failures = touch.failures + is_provider
    policy, window = draft.policies.current, window_of(draft, term, touch.step)
    wait_ms = delay_ms(max(failures, 1), policy) if policy is not None else None
    if policy is None or window is None or wait_ms is None:
        give_up(draft, term, touch, Reason.RETRIES_EXHAUSTED, receipt.reason.value)
        return
    due_ms = draft.now_ms + max(wait_ms, receipt.retry_after_ms)
    again_ms = next_attempt_ms(due_ms, draft.zone(), policy, window.closes_at_ms)
    if again_ms is not None:
        reason = Reason.TEMPORARY_FAILURE if is_provider else Reason.NOT_SENT
        retried = revised(touch, Verdict.RETRIED, reason, next_look_at_ms=again_ms)
        _conclude(draft, term, replace(retried, failures=failures), detail=receipt.reason.value)
    elif is_provider:
        give_up(draft, term, touch, Reason.RETRIES_EXHAUSTED, receipt.reason.value)
    else:
        _judge_anew(draft, term, touch, receipt)


def _complete_contact(draft: Draft, term: Term, touch: Touch, receipt: ReceiptGiven) -> None:
    touch = revised(touch, Verdict.SUPPRESSED, Reason.NO_USABLE_CONTACT)
    customer = draft.state.customer
    is_outdated = customer is not None and customer.version > touch.customer_version
    if not is_outdated:  # else the contact has come while the report was under way: judge again
        touch = replace(touch, stage=Stage.CLOSED, owes_task=1)
    _conclude(draft, term, touch, detail=receipt.reason.value)


def _give_up(draft: Draft, term: Term, touch: Touch, receipt: ReceiptGiven) -> None:
    give_up(draft, term, touch, Reason.PERMANENT_FAILURE, receipt.reason.value)


def give_up(draft: Draft, term: Term, touch: Touch, reason: Reason, detail: str) -> None:
    """Make a touch a dead letter; only an operator's request brings it back.

    The receipt's own words are left out: a provider may have put an address into them (R52).
    """
    touch = replace(revised(touch, Verdict.DEAD_LETTERED, reason), stage=Stage.CLOSED)
    key = key_of(term, touch.step, touch.channel, touch.revision)
    draft.dead_letters.append(
        DeadLetter(
            dead_letter_id=f"{key}|{touch.attempt}",
            kind=DeadLetterKind.TOUCH,
            cause=reason.value,
            dead_at_ms=draft.now_ms,
            customer_id=draft.before.customer_id,
            touch_key=key,
            detail=detail,
            policy_number=draft.policies.number,
        )
    )
    _conclude(draft, term, touch, detail=detail)


def _conclude(draft: Draft, term: Term, touch: Touch, *, detail: str = "") -> None:
    _record(draft, term, touch, detail)
    draft.put(term.with_touch(touch))


def _record(draft: Draft, term: Term, touch: Touch, detail: str = "") -> None:
    window = window_of(draft, term, touch.step)
    draft.decide(term, touch, window=window[1:] if window else (0, 0), detail=detail)


_REMEDIES = {
    Remedy.JUDGE_ANEW: _judge_anew,
    Remedy.LATER: _later,
    Remedy.COMPLETE_CONTACT: _complete_contact,
    Remedy.GIVE_UP: _give_up,
}
