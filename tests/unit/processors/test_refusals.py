"""Records whose content breaks a rule: refused with a sentence that says what to mend (law 4)."""

from datetime import date

import pytest

from processors.given import Given, Quarantined, Wake
from processors.step import step
from schemas.errors import InvalidRecord
from schemas.identity import ContractId, CustomerId, PaymentId, TermId
from schemas.vocabulary import ContractStatus, PaymentKind, RequestKind
from tests.builders import a_contract, a_customer, a_payment, a_request
from tests.unit.processors.story import POLICIES, Story


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (a_contract(contract_id=""), "no id"),
        (a_contract(version=-1), "version"),
        (a_contract(starts_on=date(2026, 7, 1)), "before it starts"),
        (a_contract(status=ContractStatus.UNSPECIFIED), "status"),
        (a_customer(version=-1), "version"),
        (a_payment(contract_id=""), "no contract"),
        (a_payment(term_id=""), "no contract"),
        (a_payment(payment_id=""), "no contract"),
        (a_payment(version=-1), "no contract"),
        (a_payment(kind=PaymentKind.UNSPECIFIED), "is it paid"),
        (a_request(kind=RequestKind.UNSPECIFIED), "kind"),
        (a_request(kind=RequestKind.COMPENSATION, operator="o-1", touch_key="k-1"), "no touch key"),
        (a_contract(customer_id="c-2"), "the key of another"),
        (a_payment(customer_id=""), "the key of another"),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused_and_the_state_stays(record: Given, complaint: str) -> None:
    story = Story(a_customer(), a_contract())
    with pytest.raises(InvalidRecord, match=complaint):
        step(story.state, record, POLICIES, story.now_ms)


@pytest.mark.parametrize("occasion", [Wake(), Quarantined(cause="invalid")])
def test_an_occasion_of_the_engines_needs_a_customer(occasion: Given) -> None:
    with pytest.raises(InvalidRecord):
        step(None, occasion, POLICIES, 0)


def test_names_with_separators_never_share_a_key() -> None:
    one = a_contract(contract_id=ContractId("a|b"), term_id=TermId("c"))
    other = a_contract(contract_id=ContractId("a"), term_id=TermId("b|c"))
    story = Story(a_customer(customer_id=CustomerId("c-1")), one, other)
    paid = a_payment(contract_id="a", term_id=TermId("b|c"), payment_id=PaymentId("p"))
    story.take(paid).run(one_year_on(story.now_ms))
    assert {command.contract_id for command in story.commands} == {"a|b"}


def one_year_on(now_ms: int) -> int:
    return now_ms + 365 * 24 * 3_600_000
