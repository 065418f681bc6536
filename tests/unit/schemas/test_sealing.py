"""Dead letters sealed to the operators: only they open them, and a wrong key in the settings is told at the start."""

import pytest

from schemas.errors import ExitError
from schemas.sealing import SealBroken, new_operators_key, sealer, unseal


def test_only_the_operators_open_what_was_sealed() -> None:
    private, public = new_operators_key()
    sealed, key_id = sealer(public)(b"ann@example.com")
    assert b"ann" not in sealed
    assert unseal(private, sealed, key_id) == b"ann@example.com"
    with pytest.raises(SealBroken):
        unseal(new_operators_key()[0], sealed, key_id)


@pytest.mark.parametrize("at", [0, 40, -1])
def test_changed_bytes_do_not_open(at: int) -> None:
    private, public = new_operators_key()
    sealed, key_id = sealer(public)(b"bytes")
    changed = bytearray(sealed)
    changed[at] ^= 1
    with pytest.raises(SealBroken):
        unseal(private, bytes(changed), key_id)


@pytest.mark.parametrize("key", ["nonsense", "AAAA"])
def test_a_key_that_is_none_is_told_at_the_start(key: str) -> None:
    with pytest.raises(ExitError, match="settings_invalid"):
        sealer(key)
