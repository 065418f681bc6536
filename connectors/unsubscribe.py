"""Tokens of unsubscribe links: who, which channel, until when, under which key, and a seal over all of it (S04)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from schemas.topics import DAY_MS

VALID_FOR_MS = 90 * DAY_MS
CLOSING_LIST = "renewal"


class Unsubscribing(msgspec.Struct, frozen=True, array_like=True):
    """What a token says; `until_ms` is the last instant at which it is honoured."""

    key_id: str
    customer_id: str
    channel: str
    mailing_list: str
    until_ms: int


class TokenRefused(ValueError):
    """A token that was not made by us, was changed, or is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMint:
    """Makes tokens under the current key; the same facts give the same token."""

    key_id: str
    secret: bytes

    def token(self, *, customer_id: str, channel: str, decided_at_ms: int) -> str:
        """An opaque, URL-safe token that is honoured for 90 days after the decision."""
        told = Unsubscribing(self.key_id, customer_id, channel, CLOSING_LIST, decided_at_ms + VALID_FOR_MS)
        payload = msgspec.msgpack.encode(told)
        return f"{_text(payload)}.{_text(_seal(self.secret, payload))}"


def read_token(token: str, secrets: Mapping[str, bytes], now_ms: int) -> Unsubscribing:
    """Check a token against the keys still honoured, by key id; raises TokenRefused."""
    payload_text, _, seal_text = token.partition(".")
    try:
        payload, seal = _octets(payload_text), _octets(seal_text)
        told = msgspec.msgpack.decode(payload, type=Unsubscribing)
    except (ValueError, msgspec.DecodeError):
        raise TokenRefused("the token is damaged") from None
    secret = secrets.get(told.key_id)
    if secret is None or not hmac.compare_digest(_seal(secret, payload), seal):
        raise TokenRefused("the token is not ours")
    if now_ms > told.until_ms:
        raise TokenRefused("the token is too old")
    return told


def _seal(secret: bytes, payload: bytes) -> bytes:
    return hmac.new(secret, payload, hashlib.sha256).digest()


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(octets) != text:
        raise ValueError("another spelling of the same octets")
    return octets
