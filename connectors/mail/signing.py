"""DKIM signatures over the headers that matter, both unsubscribe headers included (RFC 8058 asks for it)."""

from dataclasses import dataclass, field
from pathlib import Path

import dkim

_SIGNED_HEADERS = (
    b"From",
    b"To",
    b"Subject",
    b"Date",
    b"Message-ID",
    b"MIME-Version",
    b"Content-Type",
    b"List-Unsubscribe",
    b"List-Unsubscribe-Post",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A domain's signing key."""

    domain: str
    selector: str
    private_key: bytes = field(repr=False)

    def signed(self, octets: bytes) -> bytes:
        """The message with its signature in front."""
        signature: bytes = dkim.sign(
            octets,
            self.selector.encode(),
            self.domain.encode(),
            self.private_key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=list(_SIGNED_HEADERS),
        )
        return signature + octets


def signer_from(*, domain: str, selector: str, key_file: Path | None) -> Signer | None:
    """Read the key; None where no domain signs."""
    if not domain or key_file is None:
        return None
    return Signer(domain=domain, selector=selector, private_key=key_file.read_bytes())
