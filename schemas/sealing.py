"""Sealing bytes to the operators' public key: whoever can read the dead-letter topic cannot read what upstream sent.

A sealed value is an ephemeral X25519 public key (32 bytes), a nonce (12) and AES-256-GCM ciphertext; the key id is the
beginning of the public key's hash. Only the holder of the private key opens it.
"""

import base64
import hashlib
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.errors import ExitCode, ExitError, PerennialError

_KEY_BYTES, _NONCE_BYTES = 32, 12
_PURPOSE = b"perennial dead letter"
_ID_CHARACTERS = 16


class SealBroken(PerennialError):
    """Sealed bytes do not open: another key, or damaged."""


def new_operators_key() -> tuple[str, str]:
    """Make a key pair for the operators: (private, public), both base64; only the public one goes into settings."""
    private = X25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def sealer(public_key: str) -> Callable[[bytes], tuple[bytes, str]]:
    """Give the function that seals bytes to a base64 X25519 public key and names the key."""
    try:
        raw = base64.b64decode(public_key, validate=True)
        operators = X25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        said = "PERENNIAL_OPERATORS_PUBLIC_KEY is not the base64 of 32 bytes; make a pair with schemas.sealing"
        raise ExitError(ExitCode.SETTINGS_INVALID, said) from error
    key_id = hashlib.sha256(raw).hexdigest()[:_ID_CHARACTERS]

    def seal(value: bytes) -> tuple[bytes, str]:
        ephemeral, nonce = X25519PrivateKey.generate(), os.urandom(_NONCE_BYTES)
        public = ephemeral.public_key().public_bytes_raw()
        sealed = AESGCM(_key(ephemeral.exchange(operators), public)).encrypt(nonce, value, key_id.encode())
        return public + nonce + sealed, key_id

    return seal


def unseal(private_key: str, value: bytes, seal_key_id: str) -> bytes:
    """Open what was sealed; SealBroken when it was not sealed to this key or was changed."""
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(private_key))
    public, nonce = value[:_KEY_BYTES], value[_KEY_BYTES : _KEY_BYTES + _NONCE_BYTES]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
        return AESGCM(_key(shared, public)).decrypt(nonce, value[_KEY_BYTES + _NONCE_BYTES :], seal_key_id.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(
            "this private key does not open the dead letter; its seal_key_id names the one that does"
        ) from error


def _key(shared: bytes, public: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=public, info=_PURPOSE).derive(shared)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
