"""Small guards: the allow-list, unsubscribe tokens, masks."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.allow_list import is_simulator, parse_allow_list
from connectors.masking import mask_email, mask_name, mask_phone
from connectors.unsubscribe import VALID_FOR_MS, TokenMint, TokenRefused, read_token
from tests.builders import NOW_MS

SECRETS = {"1": b"one", "2": b"two"}
TOKEN = TokenMint(key_id="1", secret=b"one").token(customer_id="c-1", channel="email", decided_at_ms=NOW_MS)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("anna@example.com", True),
        ("ANNA@Example.COM", True),
        ("anyone@test.example", True),
        ("anna+tag@example.com", False),
        ("anna@example.com.evil.example", False),
        ("anna@sub.test.example", False),
        ("anna@xn--exmple-cua.com", False),
        ("", False),
    ],
)
def test_only_listed_recipients_pass(address: str, is_allowed: object) -> None:
    assert parse_allow_list("anna@example.com, *@test.example").allows(address) is is_allowed


def test_an_empty_list_allows_nobody_and_a_star_everybody() -> None:
    assert not parse_allow_list("").allows("anna@example.com")
    assert parse_allow_list("*").allows("anna@example.com")


@pytest.mark.parametrize("text", ["example.com", "@example.com"])
def test_a_list_with_a_slip_is_not_read_as_something_else(text: str) -> None:
    with pytest.raises(ValueError, match="allow-list"):
        parse_allow_list(text)


@pytest.mark.parametrize(
    ("host", "port", "is_ours"),
    [
        ("127.0.0.1", 2_525, True),
        ("localhost", 40_001, True),
        ("::1", 40_001, True),
        ("127.9.9.9", 40_001, True),
        ("127.0.0.1", 25, False),
        ("localhost", 587, False),
        ("::1", 465, False),
        ("mail.example.com", 40_001, False),
        ("localhost.example.com", 40_001, False),
        ("10.0.0.1", 40_001, False),
        ("0.0.0.0", 40_001, False),  # noqa: S104  nothing is bound here
    ],
)
def test_only_this_machine_off_the_mail_ports_is_a_simulator(host: str, port: int, is_ours: object) -> None:
    assert is_simulator(host, port) is is_ours


def test_a_token_tells_who_wants_no_more_of_what() -> None:
    told = read_token(TOKEN, SECRETS, NOW_MS)
    assert (told.customer_id, told.channel, told.mailing_list) == ("c-1", "email", "renewal")


def test_an_old_token_is_honoured_under_its_old_key_until_its_end() -> None:
    assert read_token(TOKEN, SECRETS, NOW_MS + VALID_FOR_MS).customer_id == "c-1"
    with pytest.raises(TokenRefused, match="too old"):
        read_token(TOKEN, SECRETS, NOW_MS + VALID_FOR_MS + 1)
    with pytest.raises(TokenRefused, match="not ours"):
        read_token(TOKEN, {"2": b"two"}, NOW_MS)


def test_no_character_of_a_token_can_be_changed_or_left_out() -> None:
    alphabet = "ABCabc012-_."
    for at, character in enumerate(TOKEN):
        for other in alphabet.replace(character, ""):
            with pytest.raises(TokenRefused):
                read_token(TOKEN[:at] + other + TOKEN[at + 1 :], SECRETS, NOW_MS)
        with pytest.raises(TokenRefused):
            read_token(TOKEN[:at] + TOKEN[at + 1 :], SECRETS, NOW_MS)


@given(st.text())
def test_no_text_passes_for_a_token(text: str) -> None:
    with pytest.raises(TokenRefused):
        read_token(text, SECRETS, NOW_MS)


def test_a_payload_of_another_shape_is_refused() -> None:
    forged = base64.urlsafe_b64encode(b"\x91\xa11").rstrip(b"=").decode()
    with pytest.raises(TokenRefused):
        read_token(f"{forged}.{forged}", SECRETS, NOW_MS)


@pytest.mark.parametrize(
    ("address", "masked"), [("anna@d.com", "a***@d.com"), ("a@d.com", "a***@d.com"), ("anna", "***"), ("", "***")]
)
def test_an_address_is_masked(address: str, masked: str) -> None:
    assert mask_email(address) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [("13812341234", "138****1234"), ("+86 138-1234-1234", "861******1234"), ("1234567", "***"), ("", "***")],
)
def test_a_number_is_masked(number: str, masked: str) -> None:
    assert mask_phone(number) == masked


def test_a_name_is_masked() -> None:
    assert mask_name("Anna") == "A***"
