"""Where the master key comes from: a file or the environment, never an argument on a command line."""

import base64
import binascii

from connectors.contacts.crypto import KEY_BYTES, MasterKey
from connectors.settings import ConnectorSettings
from schemas.errors import ExitCode, ExitError


def master_key_from(settings: ConnectorSettings) -> MasterKey:
    """Read the master key; ExitError says what to do when there is none or it is damaged."""
    text = _text(settings)
    try:
        octets = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        octets = b""
    if len(octets) != KEY_BYTES:
        raise _missing("the master key is not 32 bytes in base64")
    return MasterKey(key_id=settings.master_key_id, octets=octets)


def _text(settings: ConnectorSettings) -> str:
    if settings.master_key is not None:
        return settings.master_key.get_secret_value()
    if settings.master_key_file is None:
        raise _missing("there is no master key")
    try:
        return settings.master_key_file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise _missing(f"the master key file cannot be read ({type(error).__name__})") from error


def _missing(what: str) -> ExitError:
    return ExitError(
        ExitCode.SETTINGS_INVALID,
        f"{what}: set PERENNIAL_MASTER_KEY_FILE to a file with 32 random bytes in base64 (or PERENNIAL_MASTER_KEY)",
    )
