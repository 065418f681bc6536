"""A dry run asks the same pure step, so it answers as the state would, and changes nothing."""

from datetime import date

import pytest

from connectors.queries.rehearsal import Answer, answer_to, rehearse
from connectors.sources.requests import Asker, compensation_of
from deploy.hand_stack import preset
from processors.given import Given, Wake
from processors.policies import Policies
from processors.policy import content_hash
from processors.state import CustomerState
from processors.step import step
from schemas.events import PolicyPublished
from schemas.identity import ContractId, CustomerId, TermId, touch_key
from schemas.outputs import DecisionMade, SendTouch
from schemas.spelling import spelled_instant
from schemas.vocabulary import Channel, Outcome, Reason, ReceiptReason, Verdict
from tests.builders import a_contract, a_customer, a_payment, a_policy, a_receipt

OPENING_MS = spelled_instant("2026-02-03T01:00:00Z")
LATER_MS = spelled_instant("2026-02-03T02:00:00Z")
ASKER = Asker(operator="anna", asked_at_ms=LATER_MS)
KEY = touch_key("K", "T", "t7", "email", 0)


@pytest.fixture(scope="module")
def policies() -> Policies:
    published: PolicyPublished = a_policy(number=1, content=preset(), content_hash=content_hash(preset()))
    return Policies().published(published)


def refused_for_good(policies: Policies) -> CustomerState:
    """The state of a customer whose t7 was refused by the provider."""
    customer = a_customer(customer_id=CustomerId("C"), zone="Asia/Shanghai", reachable=(Channel.EMAIL,))
    contract = a_contract(
        customer_id=CustomerId("C"),
        contract_id=ContractId("K"),
        term_id=TermId("T"),
        starts_on=date(2025, 2, 11),
        expires_on=date(2026, 2, 10),
    )
    state, commands = given(None, [customer, contract, Wake()], policies)
    (command,) = commands
    receipt = a_receipt(
        **{name: getattr(command, name) for name in ("customer_id", "contract_id", "term_id", "step", "channel")},
        touch_key=command.touch_key,
        revision=0,
        attempt=command.attempt,
        outcome=Outcome.PERMANENT_FAILURE,
        reason=ReceiptReason.PROVIDER_REFUSED,
    )
    return given(state, [receipt, Wake()], policies)[0]


def given(
    state: CustomerState | None, inputs: list[Given], policies: Policies
) -> tuple[CustomerState, list[SendTouch]]:
    commands: list[SendTouch] = []
    for one in inputs:
        stepped = step(state, one, policies, OPENING_MS)
        state, commands = stepped.state, [*commands, *stepped.commands]
    assert state is not None
    return state, commands


def asked(state: CustomerState, policies: Policies) -> Answer:
    request = compensation_of("C", KEY, ASKER)
    return answer_to(KEY, "C", rehearse(state, [request], policies, LATER_MS))


def test_a_touch_that_may_leave_would_be_released(policies: Policies) -> None:
    answer = asked(refused_for_good(policies), policies)
    assert answer.answer is not None
    assert answer.answer.verdict is Verdict.REOPENED
    assert answer.is_released


def test_a_touch_of_a_paid_renewal_would_be_declined(policies: Policies) -> None:
    payment = a_payment(customer_id=CustomerId("C"), contract_id=ContractId("K"), term_id=TermId("T"))
    state, _ = given(refused_for_good(policies), [payment], policies)
    answer = asked(state, policies)
    assert answer.answer is not None
    assert (answer.answer.verdict, answer.answer.reason) == (Verdict.DECLINED, Reason.PAID)
    assert not answer.is_released


def test_asking_twice_would_release_once(policies: Policies) -> None:
    state = refused_for_good(policies)
    requests = [compensation_of("C", KEY, ASKER), compensation_of("C", KEY, ASKER)]
    decisions: tuple[DecisionMade, ...] = rehearse(state, requests, policies, LATER_MS)
    assert [one.verdict for one in decisions].count(Verdict.RELEASED) == 1
