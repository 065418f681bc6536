"""The private bytes of a state: small, readable by every later release, refused when damaged or from the future."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from processors.state import CustomerState, StateUnreadable, decode_state, encode_state
from schemas.identity import PaymentId, TermId
from schemas.vocabulary import Verdict
from tests.builders import CUSTOMER, NASTY_NAMES, a_contract, a_customer, a_payment, a_request, ms
from tests.unit.processors.story import Story, silence

# written by the first release (state version 1): a customer, a paid term with an opt-out, t90 sent, t30 out
VERSION_1 = bytes.fromhex(
    "0197a3632d319c01cf000001978aa29400a161a0ad417369612f5368616e67686169a2434ea0a57a682d434ea36d2d31a565"
    "6d61696c91a5656d61696c90919aa36b2d31a3742d31dc001301cf000001978aa29400aa323032352d30372d3031aa323032"
    "362d30362d3330a6616374697665a941746c61732043524dac50726f66657373696f6e616cac737562736372697074696f6e"
    "a6616e6e75616cce00124f80a3434e590328cd01f4c2a0bd68747470733a2f2f72656e65772e6578616d706c652e636f6d2f"
    "6b2d31a0909196a3702d3101cf0000019e80b1da80a470616964ce00124f80a3434e59929ea374333001a872656c65617365"
    "64a3647565a5656d61696c000100cf0000019e80b1da80cf0000019e818d9480000000009ea374393003a473656e74a86163"
    "636570746564a5656d61696c000100cf0000019d468dee80cf0000019d4769a8800000000090b8323032362d30362d333020"
    "417369612f5368616e67686169cf0000019b8b741800cf0000019e818e7ee0c29194a7636f6e74616374ab756e7370656369"
    "66696564c2cf0000019e80b1da80a0c0cf0000019e818e7ee0"
)


def frozen_story() -> Story:
    story = Story(a_customer(), a_contract()).run(ms("2026-05-20T00:00Z"))
    return story.run(ms("2026-06-01T02:00Z"), answer=silence).take(a_payment(), a_request())


def test_bytes_of_the_first_release_decode() -> None:
    state = decode_state(VERSION_1)
    assert state.customer_id == CUSTOMER
    assert state.customer is not None
    assert state.customer.zone == "Asia/Shanghai"
    assert state.outstanding == 1
    assert [touch.verdict for touch in state.terms[0].touches] == [Verdict.RELEASED, Verdict.SENT]
    assert state == _without_later_fields(frozen_story().state)


def _without_later_fields(state: CustomerState | None) -> CustomerState:
    assert state is not None
    touches = tuple(replace(touch, customer_version=-1) for touch in state.terms[0].touches)
    return replace(state, terms=(replace(state.terms[0], touches=touches), *state.terms[1:]))


def test_fields_added_at_the_end_take_their_defaults() -> None:
    older = bytes([1, 0x91, 0xA3]) + b"c-1"  # only the customer's id, as a release before all other fields
    assert decode_state(older) == CustomerState(customer_id=CUSTOMER)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes([2]) + VERSION_1[1:], id="from the future"),
        pytest.param(VERSION_1[:-3], id="cut off"),
        pytest.param(bytes([0x81]) + VERSION_1[1:], id="packed, but not"),
        pytest.param(bytes([1]) + b"\xff" * 9, id="no state at all"),
    ],
)
def test_a_state_that_cannot_be_read_says_so(data: bytes) -> None:
    with pytest.raises(StateUnreadable):
        decode_state(data)


def test_r14_any_name_survives() -> None:
    for name in NASTY_NAMES:
        state = Story(a_customer(segment=name), a_contract(product_name=name, special_terms=name)).state
        assert state is not None
        assert decode_state(encode_state(state)) == state


def test_three_hundred_contracts_stay_under_64_kib() -> None:
    story = Story(a_customer(), now_ms=ms("2026-06-01T00:00Z"))
    for number in range(300):
        days = timedelta(days=number % 90)
        story.take(
            a_contract(
                contract_id=f"contract-{number:06}",
                expires_on=date(2026, 6, 5) + days,
                renewal_link=f"https://renew.example.com/contract-{number:06}?token={number * 7919:032x}",
            ),
            a_payment(contract_id=f"contract-{number:06}", payment_id=PaymentId(f"p-{number}"), kind="partial"),
        )
    story.run(ms("2026-07-20T00:00Z"))
    assert story.state is not None
    assert len(story.state.terms) == 300
    assert len(encode_state(story.state)) < 65_536


def test_a_customer_of_thirty_years_stays_small() -> None:
    story = Story(a_customer())
    for year in range(2026, 2056):
        term = TermId(f"t-{year}")
        story.take(a_contract(term_id=term, starts_on=date(year - 1, 7, 1), expires_on=date(year, 6, 30)))
        story.run(ms(f"{year}-05-01T00:00Z")).take(a_payment(term_id=term, payment_id=PaymentId(f"p-{year}")))
        story.run(ms(f"{year}-08-01T00:00Z"))
    assert story.state is not None
    assert len(encode_state(story.state)) < 16_384
