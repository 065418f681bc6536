"""The account of a run: every due touch has one fate, and a mail nobody decided on shows as imbalance."""

from collections.abc import Sequence
from datetime import date

import msgspec

from deploy.demo.account import Account, DomainTime, Mail, account_of
from schemas.events import Tick
from schemas.identity import ContractId, CustomerId, StepName, TermId, TouchKey, touch_key
from schemas.outputs import DecisionMade, SendTouch
from schemas.vocabulary import Channel, Reason, Verdict

HORIZON_MS = 10_000


def decided(
    contract: str, verdict: Verdict, reason: Reason = Reason.DUE, *, opens: int = 0, closes: int = 100
) -> DecisionMade:
    return DecisionMade(
        touch_key=key_of(contract),
        customer_id=CustomerId("C"),
        contract_id=ContractId(contract),
        term_id=TermId("T"),
        step=StepName("t7"),
        channel=Channel.EMAIL,
        revision=0,
        verdict=verdict,
        reason=reason,
        decided_at_ms=opens,
        policy_number=1,
        opens_at_ms=opens,
        closes_at_ms=closes,
    )


def key_of(contract: str) -> TouchKey:
    return touch_key(contract, "T", "t7", "email", 0)


def mail(contract: str, received_ms: int = 50) -> Mail:
    return Mail(key=key_of(contract), attempt=1, received_ms=received_ms, recipient="a@b.example", subject="", text="")


def account(
    decisions: Sequence[DecisionMade], mails: Sequence[Mail] = (), commands: Sequence[SendTouch] = ()
) -> Account:
    clock = DomainTime()
    clock.learn([(10, Tick(now_ms=1_000, barrier={})), (40, Tick(now_ms=5_000, barrier={}))])
    return account_of(decisions, commands, mails, clock, HORIZON_MS)


def test_every_due_touch_has_one_fate() -> None:
    found = account(
        [
            decided("a", Verdict.RELEASED),
            decided("a", Verdict.SENT),
            decided("b", Verdict.SUPPRESSED, Reason.PAID),
            decided("c", Verdict.SKIPPED, Reason.LATE),
            decided("d", Verdict.EXPIRED),
            decided("e", Verdict.HELD, Reason.QUARANTINED),
            decided("f", Verdict.MOVED, closes=HORIZON_MS + 1),
            decided("g", Verdict.SUPPRESSED, opens=HORIZON_MS + 1),
        ],
        [mail("a")],
    )
    assert found.due == 6
    assert {name: count for name, count in found.counts.items() if count} == {
        "sent": 1,
        "suppressed": 2,
        "expired": 1,
        "quarantined": 1,
        "pending": 1,
    }
    assert found.reasons == {"paid": 1, "late": 1}
    assert found.imbalance == 0


def test_a_mail_that_nobody_decided_on_is_an_imbalance() -> None:
    assert account([], [mail("ghost")]).imbalance == 1


def test_a_sent_touch_without_a_mail_is_an_imbalance() -> None:
    assert account([decided("a", Verdict.SENT)]).imbalance == 1


def test_a_touch_left_open_after_its_window_is_an_imbalance() -> None:
    assert account([decided("a", Verdict.RELEASED)]).imbalance == 1


def test_an_answer_to_a_request_does_not_undo_what_was_sent() -> None:
    assert account([decided("a", Verdict.SENT), decided("a", Verdict.DECLINED)], [mail("a")]).counts["sent"] == 1


def test_lateness_is_domain_time_since_the_earliest_instant() -> None:
    command = msgspec.convert(
        {
            **dict.fromkeys(("template", "locale", "zone", "step", "term_id", "contract_id", "customer_id"), ""),
            **dict.fromkeys(("revision", "send_by_at_ms", "decided_at_ms", "opens_at_ms", "closes_at_ms"), 0),
            **dict.fromkeys(("policy_number", "contract_version"), 0),
            "touch_key": key_of("a"),
            "channel": "email",
            "attempt": 1,
            "not_before_at_ms": 4_000,
            "starts_on": date(2026, 1, 1),
            "expires_on": date(2026, 12, 31),
        },
        SendTouch,
    )
    found = account([decided("a", Verdict.SENT)], [mail("a", received_ms=45)], [command])
    assert found.lateness() == {"p50": 1_000, "p99": 1_000, "max": 1_000}
