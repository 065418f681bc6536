"""Requests: what customers and operators wish; the newest of one scope wins, and of two at one instant the safer."""

from msgspec.structs import replace

from processors.draft import Draft
from processors.erasure import erase
from processors.state import Permission, Stage, Term, Touch
from processors.suppression import CONSENT, CONTACT
from schemas.errors import InvalidRecord
from schemas.events import RequestMade
from schemas.identity import touch_parts
from schemas.vocabulary import RequestKind, Verdict

_PERMISSIONS = {
    RequestKind.CONSENT_GIVEN: (CONSENT, True),
    RequestKind.CONSENT_WITHDRAWN: (CONSENT, False),
    RequestKind.OPTED_OUT: (CONTACT, False),
    RequestKind.OPTED_IN: (CONTACT, True),
}
_COMES_BACK = frozenset({Verdict.DEAD_LETTERED, Verdict.EXPIRED, Verdict.UNKNOWN})


def take_request(draft: Draft, request: RequestMade) -> None:
    """Note a wish; stop, start and quarantine release are the partition's affair and change nothing here.

    Raises:
        InvalidRecord: its kind cannot be read, or it names a touch that cannot be one.
    """
    if request.kind is RequestKind.UNSPECIFIED:
        raise InvalidRecord(f"request {request.event_id}: its kind cannot be read by this release")
    if request.kind is RequestKind.ERASURE:
        erase(draft, request.occurred_at_ms)
    elif draft.state.erasure is not None:
        return
    elif request.kind in _PERMISSIONS:
        _permit(draft, request)
    elif request.kind is RequestKind.COMPENSATION and request.operator:  # nobody's wish has no effect (S02)
        _ask_again(draft, request)


def _permit(draft: Draft, request: RequestMade) -> None:
    topic, is_given = _PERMISSIONS[request.kind]
    wish = Permission(topic=topic, channel=request.channel, is_given=is_given, occurred_at_ms=request.occurred_at_ms)
    wishes = {(known.topic, known.channel): known for known in draft.state.permissions}
    known = wishes.get((topic, request.channel))
    if known is None or _rank(wish) > _rank(known):
        wishes[topic, request.channel] = wish
        draft.state = replace(draft.state, permissions=tuple(wishes[scope] for scope in sorted(wishes)))
        draft.review()


def _rank(wish: Permission) -> tuple[int, bool]:
    return wish.occurred_at_ms, not wish.is_given


def _ask_again(draft: Draft, request: RequestMade) -> None:
    group = _group(request.touch_key) if request.touch_key else None
    for term in list(draft.terms()):
        for touch in term.touches:
            if touch.asked_at_ms < request.occurred_at_ms and _is_meant(request, group, term, touch):
                changed = draft.term(term.contract_id, term.term_id) or term
                draft.put(changed.with_touch(replace(touch, asked_at_ms=request.occurred_at_ms)))


def _is_meant(request: RequestMade, group: tuple[str, str, str] | None, term: Term, touch: Touch) -> bool:
    if group is not None:
        return (term.contract_id, term.term_id, touch.step) == group
    if request.contract_id not in {"", term.contract_id}:
        return False
    return touch.stage in {Stage.CLOSED, Stage.UNKNOWN} and touch.verdict in _COMES_BACK


def _group(key: str) -> tuple[str, str, str]:
    try:
        contract_id, term_id, step, _, _ = touch_parts(key)
    except ValueError as error:
        raise InvalidRecord(f"a request for compensation names {key!r}, which is no touch key") from error
    return contract_id, term_id, step
