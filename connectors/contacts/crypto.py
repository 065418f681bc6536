"""AES-256-GCM for contacts: a data key per customer encrypts fields, the master key of a region wraps data keys."""

import base64
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class ContactUnreadable(ValueError):
    """Bytes that do not decrypt: another key, another place, or changed; the message names the field only."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A customer's key."""

    octets: bytes = field(repr=False)

    def seal(self, value: str, *, customer_id: str, name: str, version: int) -> bytes:
        """Encrypt one field for its place: the same bytes elsewhere do not decrypt (S09)."""
        return _seal(self.octets, value.encode(), _place(customer_id, name, version))

    def open(self, sealed: bytes, *, customer_id: str, name: str, version: int) -> str:
        """Decrypt one field; raises ContactUnreadable."""
        return _open(self.octets, sealed, _place(customer_id, name, version), name).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKey:
    """The key that wraps data keys; it never leaves the processes that seal or read contacts."""

    key_id: str
    octets: bytes = field(repr=False)

    def wrap(self, key: DataKey, *, customer_id: str) -> bytes:
        """Encrypt a data key for one customer."""
        return _seal(self.octets, key.octets, _place(customer_id, "data key", 0))

    def unwrap(self, wrapped: bytes, *, customer_id: str) -> DataKey:
        """Decrypt a data key; raises ContactUnreadable."""
        return DataKey(_open(self.octets, wrapped, _place(customer_id, "data key", 0), "data key"))


def new_data_key() -> DataKey:
    """A fresh data key."""
    return DataKey(os.urandom(KEY_BYTES))


def new_master_key() -> str:
    """A fresh master key as it is kept in a file or setting: base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _seal(key: bytes, clear: bytes, place: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, place)


def _open(key: bytes, sealed: bytes, place: bytes, name: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError):
        raise ContactUnreadable(f"{name}: does not decrypt with this key in this place") from None


def _place(customer_id: str, name: str, version: int) -> bytes:
    """Customer, field and version as bytes that no other triple has."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in (customer_id.encode(), name.encode())) + (
        version.to_bytes(8, "big", signed=True)
    )
