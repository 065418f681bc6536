"""Plain records for tests: each builder gives a complete, valid record; keyword arguments change its fields."""

from datetime import UTC, date, datetime

from msgspec.structs import replace

from schemas.events import (
    ContractChanged,
    CustomerChanged,
    EngagementSeen,
    PaymentRecorded,
    PolicyPublished,
    ReceiptGiven,
    RequestMade,
    Tick,
)
from schemas.identity import (
    ContractId,
    CustomerId,
    EventId,
    PaymentId,
    StepName,
    TermId,
    hold_fence,
    paid_fence,
    touch_key,
)
from schemas.outputs import (
    ContactChanged,
    ContactKeyWrapped,
    DeadLetter,
    DecisionMade,
    FenceRaised,
    HeartbeatSent,
    LedgerRow,
    SendTouch,
    TaskOpened,
)
from schemas.vocabulary import (
    BillingCycle,
    Channel,
    ContractStatus,
    CustomerTier,
    DeadLetterKind,
    EngagementKind,
    FenceKind,
    LedgerStage,
    Outcome,
    PaymentKind,
    ProductType,
    Reason,
    ReceiptReason,
    RequestKind,
    TaskKind,
    Verdict,
)

CUSTOMER = CustomerId("c-1")
CONTRACT = ContractId("k-1")
TERM = TermId("t-1")
STEP = StepName("t30")
KEY = touch_key(CONTRACT, TERM, STEP, Channel.EMAIL, 0)
ZONE = "Asia/Shanghai"
STARTS_ON = date(2025, 7, 1)
EXPIRES_ON = date(2026, 6, 30)  # a Tuesday

NASTY_NAMES = (
    "A&B#C<script>alert('1')</script>",
    "quote \" apostrophe ' backslash \\ percent %7C pipe |",
    "emoji \N{PARTY POPPER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
    "שלום עולם \N{RIGHT-TO-LEFT OVERRIDE}abc",
    "شركة الاختبار",
    "\N{CJK UNIFIED IDEOGRAPH-20BB7}野家",  # four bytes in UTF-8
    "Cafe\N{COMBINING ACUTE ACCENT} Zu\N{COMBINING DIAERESIS}rich",  # decomposed, as macOS writes it
    "tab\tand\nline",
    "null",
    " ",
)


def ms(instant: str) -> int:
    """UTC epoch milliseconds of an ISO instant, such as `2026-06-30T09:00+08:00`; `Z` or no zone is UTC."""
    parsed = datetime.fromisoformat(instant)
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)


NOW_MS = ms("2026-06-01T09:00+08:00")  # t30 opens: 31 May is a Sunday


def a_customer(**changes: object) -> CustomerChanged:
    return replace(
        CustomerChanged(
            event_id=EventId("e-customer"),
            customer_id=CUSTOMER,
            version=1,
            occurred_at_ms=ms("2025-06-20T00:00Z"),
            customer_tier=CustomerTier.A,
            zone=ZONE,
            country="CN",
            locale="zh-CN",
            account_manager_id="m-1",
            preferred_channel=Channel.EMAIL,
            reachable=(Channel.EMAIL,),
            source="crm",
        ),
        **changes,
    )


def a_contract(**changes: object) -> ContractChanged:
    return replace(
        ContractChanged(
            event_id=EventId("e-contract"),
            customer_id=CUSTOMER,
            contract_id=CONTRACT,
            version=1,
            occurred_at_ms=ms("2025-06-20T00:00Z"),
            starts_on=STARTS_ON,
            expires_on=EXPIRES_ON,
            term_id=TERM,
            status=ContractStatus.ACTIVE,
            product_name="Atlas CRM",
            product_edition="Professional",
            product_type=ProductType.SUBSCRIPTION,
            billing_cycle=BillingCycle.ANNUAL,
            amount_minor=1_200_000,
            currency="CNY",
            modules=3,
            seats=40,
            discount_basis_points=500,
            renewal_link="https://renew.example.com/k-1",
            source="crm",
        ),
        **changes,
    )


def a_payment(**changes: object) -> PaymentRecorded:
    return replace(
        PaymentRecorded(
            event_id=EventId("e-payment"),
            customer_id=CUSTOMER,
            contract_id=CONTRACT,
            payment_id=PaymentId("p-1"),
            version=1,
            occurred_at_ms=NOW_MS,
            term_id=TERM,
            kind=PaymentKind.PAID,
            amount_minor=1_200_000,
            currency="CNY",
            source="billing",
        ),
        **changes,
    )


def an_engagement(**changes: object) -> EngagementSeen:
    return replace(
        EngagementSeen(
            event_id=EventId("e-engagement"),
            customer_id=CUSTOMER,
            occurred_at_ms=NOW_MS,
            kind=EngagementKind.OPENED,
            touch_key=KEY,
            channel=Channel.EMAIL,
        ),
        **changes,
    )


def a_receipt(**changes: object) -> ReceiptGiven:
    return replace(
        ReceiptGiven(
            event_id=EventId("e-receipt"),
            customer_id=CUSTOMER,
            contract_id=CONTRACT,
            term_id=TERM,
            step=STEP,
            channel=Channel.EMAIL,
            revision=0,
            attempt=1,
            touch_key=KEY,
            outcome=Outcome.ACCEPTED,
            reported_at_ms=NOW_MS + 1_000,
            reason=ReceiptReason.ACCEPTED,
        ),
        **changes,
    )


def a_request(**changes: object) -> RequestMade:
    return replace(
        RequestMade(
            event_id=EventId("e-request"),
            customer_id=CUSTOMER,
            occurred_at_ms=NOW_MS,
            kind=RequestKind.OPTED_OUT,
        ),
        **changes,
    )


def a_policy(**changes: object) -> PolicyPublished:
    return replace(
        PolicyPublished(
            event_id=EventId("e-policy"),
            number=1,
            published_at_ms=ms("2025-06-01T00:00Z"),
            content="cadences: {}\n",
            content_hash="",
        ),
        **changes,
    )


def a_tick(now_ms: int = NOW_MS, **changes: object) -> Tick:
    return replace(Tick(now_ms=now_ms, barrier={}), **changes)


def a_command(**changes: object) -> SendTouch:
    return replace(
        SendTouch(
            touch_key=KEY,
            customer_id=CUSTOMER,
            contract_id=CONTRACT,
            term_id=TERM,
            step=STEP,
            channel=Channel.EMAIL,
            revision=0,
            attempt=1,
            opens_at_ms=NOW_MS,
            not_before_at_ms=NOW_MS,
            decided_at_ms=NOW_MS,
            send_by_at_ms=NOW_MS + 4 * 3_600_000,
            closes_at_ms=NOW_MS + 7 * 86_400_000,
            policy_number=1,
            template="reminder",
            locale="zh-CN",
            zone=ZONE,
            contract_version=1,
            starts_on=STARTS_ON,
            expires_on=EXPIRES_ON,
            product_name="Atlas CRM",
            product_edition="Professional",
            amount_minor=1_200_000,
            currency="CNY",
            modules=3,
            seats=40,
            discount_basis_points=500,
            renewal_link="https://renew.example.com/k-1",
        ),
        **changes,
    )


def a_decision(**changes: object) -> DecisionMade:
    return replace(
        DecisionMade(
            touch_key=KEY,
            customer_id=CUSTOMER,
            contract_id=CONTRACT,
            term_id=TERM,
            step=STEP,
            channel=Channel.EMAIL,
            revision=0,
            verdict=Verdict.RELEASED,
            reason=Reason.DUE,
            decided_at_ms=NOW_MS,
            policy_number=1,
            attempt=1,
            zone=ZONE,
            inputs={"zone_source": "explicit"},
        ),
        **changes,
    )


def a_task(**changes: object) -> TaskOpened:
    return replace(
        TaskOpened(
            task_id="task-1",
            customer_id=CUSTOMER,
            kind=TaskKind.CONTACT_COMPLETION,
            opened_at_ms=NOW_MS,
        ),
        **changes,
    )


def a_fence(**changes: object) -> FenceRaised:
    return replace(
        FenceRaised(
            fence_key=paid_fence(CUSTOMER, CONTRACT, TERM),
            kind=FenceKind.PAID,
            raised_at_ms=NOW_MS,
            customer_id=CUSTOMER,
            contract_id=CONTRACT,
            term_id=TERM,
        ),
        **changes,
    )


def a_hold(customer_id: str = CUSTOMER) -> FenceRaised:
    return a_fence(
        fence_key=hold_fence(customer_id), kind=FenceKind.HOLD, customer_id=customer_id, contract_id="", term_id=""
    )


def a_heartbeat(**changes: object) -> HeartbeatSent:
    return replace(
        HeartbeatSent(
            partition=0,
            watermark_at_ms=NOW_MS,
            fresh_at_ms=NOW_MS,
            next_alarm_at_ms=0,
            outstanding=0,
        ),
        **changes,
    )


def a_ledger_row(**changes: object) -> LedgerRow:
    return replace(
        LedgerRow(
            touch_key=KEY,
            customer_id=CUSTOMER,
            attempt=1,
            stage=LedgerStage.INTENT,
            intent_at_ms=NOW_MS,
            send_by_at_ms=NOW_MS + 4 * 3_600_000,
        ),
        **changes,
    )


def a_dead_letter(**changes: object) -> DeadLetter:
    return replace(
        DeadLetter(
            dead_letter_id="renewal.contract.v1/0/7",
            kind=DeadLetterKind.RECORD,
            cause="undecodable",
            dead_at_ms=NOW_MS,
            customer_id=CUSTOMER,
            origin_topic="renewal.contract.v1",
            origin_partition=0,
            origin_offset=7,
            original_key=CUSTOMER.encode(),
            original_value=b"\xff",
        ),
        **changes,
    )


def a_contact(**changes: object) -> ContactChanged:
    return replace(
        ContactChanged(
            event_id=EventId("e-contact"),
            customer_id=CUSTOMER,
            version=1,
            occurred_at_ms=NOW_MS,
            key_id="key-1",
            fields={"email": b"\x00\xff"},
        ),
        **changes,
    )


def a_contact_key(**changes: object) -> ContactKeyWrapped:
    return replace(
        ContactKeyWrapped(
            customer_id=CUSTOMER,
            key_id="key-1",
            region="cn",
            master_key_id="master-1",
            wrapped_key=bytes(40),
            created_at_ms=NOW_MS,
        ),
        **changes,
    )
