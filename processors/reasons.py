"""One sentence for each reason, as a renewals manager would say it; verdicts in a word or two."""

from schemas.vocabulary import Reason, Verdict

SENTENCES: dict[Reason, str] = {
    Reason.UNSPECIFIED: "no reason was recorded",
    Reason.DUE: "its window was open and nothing stood against it",
    Reason.STOPPED: "an operator had stopped sending",
    Reason.QUARANTINED: "a record of this customer could not be applied, so everything is held until it is mended",
    Reason.ERASED: "the customer asked to be erased",
    Reason.UNSUBSCRIBED: "the customer has unsubscribed",
    Reason.NO_CONSENT: "the customer has withdrawn consent",
    Reason.PAID: "the renewal was already paid",
    Reason.CONTRACT_ENDED: "the contract was cancelled",
    Reason.CONTRACT_SUPERSEDED: "another contract has replaced this one",
    Reason.CONTRACT_TRANSFERRED: "the contract was transferred to another customer",
    Reason.DUPLICATE: "this touch is already on its way",
    Reason.WINDOW_CLOSED: "its window had closed",
    Reason.LATE: "it was too late for it, a more urgent reminder took its place, or the policy dropped it",
    Reason.HOLDOUT: "the customer belongs to the group left untouched to measure the effect",
    Reason.CANARY: "the customer belongs to the group on which a new policy is tried",
    Reason.DORMANT: "the customer is dormant, so an account manager takes over",
    Reason.CONFLICT: "another campaign was reaching the customer at the time",
    Reason.FREQUENCY_CAP: "the customer had heard from us often enough in these days",
    Reason.QUIET_HOURS: "it was outside send hours at the customer's place",
    Reason.NOT_A_WORKING_DAY: "it was not a working day at the customer's place",
    Reason.NO_USABLE_CONTACT: "there was no usable address; somebody has been asked to complete it",
    Reason.NO_APPROVED_TEMPLATE: "its text was not approved",
    Reason.FACTS_CHANGED: "the contract changed while the reminder was on its way",
    Reason.ACCEPTED: "the provider accepted it",
    Reason.DELIVERED: "the provider reported it delivered",
    Reason.NOT_SENT: "the channel reported that it did not send it",
    Reason.TEMPORARY_FAILURE: "the provider could not take it just then",
    Reason.PERMANENT_FAILURE: "it was refused for good",
    Reason.RETRIES_EXHAUSTED: "every try failed",
    Reason.NO_RECEIPT: "the channel never reported what became of it",
    Reason.IN_DOUBT: "the channel cannot tell whether it was sent",
    Reason.OPERATOR_REQUEST: "an operator asked for it again",
    Reason.ALREADY_SENT: "it had been sent already",
    Reason.RELEASED_NOW: "it was released at this moment",
    Reason.MERGED: "one reminder named several contracts",
}

WORDS: dict[Verdict, str] = {
    Verdict.UNSPECIFIED: "undecided",
    Verdict.RELEASED: "handed to the channel",
    Verdict.HELD: "held back",
    Verdict.MOVED: "moved",
    Verdict.SUPPRESSED: "not sent",
    Verdict.SKIPPED: "skipped",
    Verdict.EXPIRED: "not sent in time",
    Verdict.WITHDRAWN: "withdrawn",
    Verdict.RETRIED: "to be tried again",
    Verdict.SENT: "sent",
    Verdict.UNKNOWN: "outcome unknown",
    Verdict.DEAD_LETTERED: "given up",
    Verdict.REOPENED: "reopened",
    Verdict.DECLINED: "not reopened",
}


def sentence_for(reason: Reason) -> str:
    """Say why, in one sentence without a full stop."""
    return SENTENCES[reason]


def word_for(verdict: Verdict) -> str:
    """Say what was decided."""
    return WORDS[verdict]
