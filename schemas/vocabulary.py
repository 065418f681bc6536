"""The closed lists of words in our records; each has the default symbol that an older reader falls back to."""

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a customer; `unspecified` in a request or fence means every channel."""

    UNSPECIFIED = "unspecified"
    EMAIL = "email"
    SMS = "sms"
    WECOM = "wecom"
    PUSH = "push"
    IN_APP = "in_app"
    PHONE = "phone"
    ACCOUNT_MANAGER = "account_manager"
    MAILCHIMP = "mailchimp"
    APPRISE = "apprise"


class CustomerTier(StrEnum):
    """The business's own classes of customers (R30-R34)."""

    UNSPECIFIED = "unspecified"
    A = "a"
    B = "b"
    C = "c"


class ContractStatus(StrEnum):
    """What the CRM says a contract is."""

    UNSPECIFIED = "unspecified"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    TRANSFERRED = "transferred"


class ProductType(StrEnum):
    """How a product is sold (R40)."""

    UNSPECIFIED = "unspecified"
    SUBSCRIPTION = "subscription"
    PERPETUAL = "perpetual"


class BillingCycle(StrEnum):
    """How often a contract is billed; cycles never mix (R15)."""

    UNSPECIFIED = "unspecified"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    ANNUAL = "annual"
    MULTI_YEAR = "multi_year"
    ONE_OFF = "one_off"


class PaymentKind(StrEnum):
    """What happened to a payment; the highest version of one payment id counts."""

    UNSPECIFIED = "unspecified"
    PAID = "paid"
    PARTIAL = "partial"
    FAILED = "failed"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"


class EngagementKind(StrEnum):
    """What a customer, or a machine in the customer's name, was seen doing."""

    UNSPECIFIED = "unspecified"
    OPENED = "opened"
    CLICKED = "clicked"
    LOGGED_IN = "logged_in"
    USED = "used"
    TICKET_OPENED = "ticket_opened"
    OTHER_SEND = "other_send"


class RequestKind(StrEnum):
    """What somebody asks of the state; `stop`, `start` are scoped to a partition, the others to a customer."""

    UNSPECIFIED = "unspecified"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    ERASURE = "erasure"
    STOP = "stop"
    START = "start"
    QUARANTINE_RELEASE = "quarantine_release"
    COMPENSATION = "compensation"


class Outcome(StrEnum):
    """What became of one attempt, as a channel reports it."""

    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temporary_failure"
    PERMANENT_FAILURE = "permanent_failure"
    REFUSED = "refused"

    @property
    def is_definite_refusal(self) -> bool:
        """Whether the provider certainly did not accept, so that another attempt cannot be a duplicate."""
        return self in {Outcome.TEMPORARY_FAILURE, Outcome.PERMANENT_FAILURE, Outcome.REFUSED}


class ReceiptReason(StrEnum):
    """Why an attempt ended as it did."""

    UNSPECIFIED = "unspecified"
    ACCEPTED = "accepted"
    FENCED = "fenced"
    STOPPED = "stopped"
    PAST_SEND_BY = "past_send_by"
    INTENT_TOO_OLD = "intent_too_old"
    NO_CONTACT = "no_contact"
    CONTACT_INVALID = "contact_invalid"
    NOT_ON_ALLOW_LIST = "not_on_allow_list"
    RENDERING_REFUSED = "rendering_refused"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    IN_DOUBT = "in_doubt"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


class FenceKind(StrEnum):
    """Why something must not be sent."""

    UNSPECIFIED = "unspecified"
    PAID = "paid"
    WITHDRAWN = "withdrawn"
    OPTED_OUT = "opted_out"
    ERASED = "erased"
    HOLD = "hold"
    STOP = "stop"


class Verdict(StrEnum):
    """What was decided about one touch at one moment; the last one of a touch is its outcome in the balance."""

    UNSPECIFIED = "unspecified"
    RELEASED = "released"
    HELD = "held"
    MOVED = "moved"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    RETRIED = "retried"
    SENT = "sent"
    UNKNOWN = "unknown"
    DEAD_LETTERED = "dead_lettered"
    REOPENED = "reopened"
    DECLINED = "declined"


class Reason(StrEnum):
    """Why a verdict is what it is (law 5); one sentence each in `processors.reasons`."""

    UNSPECIFIED = "unspecified"
    DUE = "due"
    STOPPED = "stopped"
    QUARANTINED = "quarantined"
    ERASED = "erased"
    UNSUBSCRIBED = "unsubscribed"
    NO_CONSENT = "no_consent"
    PAID = "paid"
    CONTRACT_ENDED = "contract_ended"
    CONTRACT_SUPERSEDED = "contract_superseded"
    CONTRACT_TRANSFERRED = "contract_transferred"
    DUPLICATE = "duplicate"
    WINDOW_CLOSED = "window_closed"
    LATE = "late"
    HOLDOUT = "holdout"
    CANARY = "canary"
    DORMANT = "dormant"
    CONFLICT = "conflict"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"
    NOT_A_WORKING_DAY = "not_a_working_day"
    NO_USABLE_CONTACT = "no_usable_contact"
    NO_APPROVED_TEMPLATE = "no_approved_template"
    FACTS_CHANGED = "facts_changed"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    NOT_SENT = "not_sent"
    TEMPORARY_FAILURE = "temporary_failure"
    PERMANENT_FAILURE = "permanent_failure"
    RETRIES_EXHAUSTED = "retries_exhausted"
    NO_RECEIPT = "no_receipt"
    IN_DOUBT = "in_doubt"
    OPERATOR_REQUEST = "operator_request"
    ALREADY_SENT = "already_sent"
    RELEASED_NOW = "released_now"
    MERGED = "merged"


class TaskKind(StrEnum):
    """Work that a person does."""

    UNSPECIFIED = "unspecified"
    CONTACT_COMPLETION = "contact_completion"
    ACCOUNT_MANAGER = "account_manager"
    PHONE_CALL = "phone_call"
    DELIVERY_FAILED = "delivery_failed"


class LedgerStage(StrEnum):
    """How far one attempt has come at a channel."""

    UNSPECIFIED = "unspecified"
    INTENT = "intent"
    RESULT = "result"


class DeadLetterKind(StrEnum):
    """What was given up."""

    UNSPECIFIED = "unspecified"
    RECORD = "record"
    TOUCH = "touch"
