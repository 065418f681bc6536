"""Contacts as they may appear in logs and screens: enough to recognise, too little to use (S08)."""

_MASK = "***"
_PHONE_HEAD, _PHONE_TAIL = 3, 4


def mask_email(address: str) -> str:
    """`anna@d.com` as `a***@d.com`; what is no address is masked whole."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}{_MASK}{at}{domain}" if local and domain else _MASK


def mask_phone(number: str) -> str:
    """`13812341234` as `138****1234`; separators go, short numbers are masked whole."""
    digits = "".join(character for character in number if character.isdecimal())
    if len(digits) < _PHONE_HEAD + _PHONE_TAIL + 1:
        return _MASK
    hidden = len(digits) - _PHONE_HEAD - _PHONE_TAIL
    return digits[:_PHONE_HEAD] + "*" * hidden + digits[-_PHONE_TAIL:]


def mask_name(name: str) -> str:
    """`Anna` as `A***`."""
    return name[:1] + _MASK if name else ""
