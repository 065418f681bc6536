"""Headers and addresses: nothing that breaks a line, nothing that is two (S06)."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.headers import (
    AddressRefused,
    HeaderRefused,
    PlainHeader,
    ascii_address,
    header_key,
    header_text,
    mailbox,
)
from schemas.identity import touch_key, touch_parts

BREAKERS = ["\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1b", "\x7f"]


@pytest.mark.parametrize("breaker", BREAKERS)
def test_no_header_takes_a_line_break_of_any_kind(breaker: str) -> None:
    value = f"a{breaker}Bcc: b@example.com"
    with pytest.raises(HeaderRefused):
        header_text(value, "subject")
    with pytest.raises(HeaderRefused):
        mailbox(value, "a@example.com")
    with pytest.raises(HeaderRefused):
        PlainHeader("X-Test", value)
    with pytest.raises(AddressRefused):
        ascii_address(f"a{breaker}b@example.com")


@pytest.mark.parametrize(
    "address",
    [
        '"a\r\nBcc: b"@x.com',
        '"quoted local"@example.com',
        "a@b@example.com",
        "a@example.com,b@example.com",
        "a@example.com b@example.com",
        "<a@example.com>",
        "a@[127.0.0.1]",
        "a@-example.com",
        "@example.com",
        "a@",
        "",
        "пример@example.com",
        "\ud800@example.com",
        "x" * 320 + "@example.com",
    ],
)
def test_what_is_no_single_plain_address_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        ascii_address(address)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("anna@example.com", "anna@example.com"),
        ("Anna+tag@EXAMPLE.com", "Anna+tag@example.com"),
        ("anna@bücher.example.com", "anna@xn--bcher-kva.example.com"),
        ("anna@例子.中国", "anna@xn--fsqu00a.xn--fiqs8s"),
    ],
)
def test_an_address_goes_out_in_ascii(address: str, expected: str) -> None:
    assert ascii_address(address) == expected


@pytest.mark.parametrize("name", ["Anna \u202e<moc.live@a>", "x" * 201, "=?utf-8?q?a=0D=0ABcc:_b?="])
def test_a_name_that_misleads_is_left_out(name: str) -> None:
    assert mailbox(name, "anna@example.com").display_name == ""


def test_a_subject_takes_no_encoded_word() -> None:
    with pytest.raises(HeaderRefused):
        header_text("=?utf-8?q?a=0D=0ABcc:_b?=", "subject")


@given(st.text(max_size=60), st.text(max_size=20))
def test_a_touch_key_survives_its_header(contract: str, term: str) -> None:
    key = touch_key(contract, term, "t7", "email", 0)
    if any("\ud800" <= character <= "\udfff" for character in key):
        return
    header = header_key(key)
    assert header.isascii()
    assert not any(character.isspace() for character in header)
    assert unquote(header) == key
    assert touch_parts(unquote(header))[0] == contract
