"""Why a touch must not leave, whatever the hour: the timeless causes of law 5, most sovereign first."""

from typing import NamedTuple

from processors.payments import is_settled
from processors.policies import Policies
from processors.state import CustomerState, Term
from schemas.vocabulary import Channel, ContractStatus, Reason, Verdict

CONTACT, CONSENT = "contact", "consent"


class Cause(NamedTuple):
    """A verdict with its reason."""

    verdict: Verdict
    reason: Reason


STOPPED = Cause(Verdict.HELD, Reason.STOPPED)
QUARANTINED = Cause(Verdict.HELD, Reason.QUARANTINED)
ERASED = Cause(Verdict.SUPPRESSED, Reason.ERASED)
UNSUBSCRIBED = Cause(Verdict.SUPPRESSED, Reason.UNSUBSCRIBED)
NO_CONSENT = Cause(Verdict.SUPPRESSED, Reason.NO_CONSENT)
PAID = Cause(Verdict.SUPPRESSED, Reason.PAID)
ENDED = {
    ContractStatus.CANCELLED: Cause(Verdict.SUPPRESSED, Reason.CONTRACT_ENDED),
    ContractStatus.SUPERSEDED: Cause(Verdict.SUPPRESSED, Reason.CONTRACT_SUPERSEDED),
    ContractStatus.TRANSFERRED: Cause(Verdict.SUPPRESSED, Reason.CONTRACT_TRANSFERRED),
}


def cause_against(state: CustomerState, term: Term, channel: Channel, policies: Policies) -> Cause | None:
    """The first cause that forbids this term's touches on this channel now; None when only time decides."""
    if policies.stops and policies.is_stopped(channel):
        return STOPPED
    if state.hold:
        return QUARANTINED
    if state.erasure is not None:
        return ERASED
    if state.permissions:
        refused = {wish.topic for wish in state.permissions if not wish.is_given and covers(wish.channel, channel)}
        if refused:
            return UNSUBSCRIBED if CONTACT in refused else NO_CONSENT
    if is_settled(term):
        return PAID
    return ENDED.get(term.facts.status) if term.facts is not None else None


def covers(scope: Channel, channel: Channel) -> bool:
    """Whether a wish or stop of this scope concerns this channel; `unspecified` concerns all."""
    return scope in {Channel.UNSPECIFIED, channel}


def is_reachable(state: CustomerState, channel: Channel) -> bool:
    """Whether the CRM knows an address for this channel; before its first record we let the channel find out."""
    return state.customer is None or channel in state.customer.reachable
