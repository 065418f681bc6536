"""The list of recipients that stands before every real provider; what is not on it is refused with a receipt (S07)."""

import ipaddress
from dataclasses import dataclass

EVERYBODY = "*"
MAIL_PORTS = frozenset({25, 465, 587})


@dataclass(frozen=True, slots=True)
class AllowList:
    """Recipients a real server may get; empty allows nobody. Addresses are compared in ASCII form, lower case."""

    addresses: frozenset[str]
    domains: frozenset[str]
    is_lifted: bool = False

    def allows(self, address: str) -> bool:
        """Whether this address is listed itself, or its whole domain is; `+tag` makes another address."""
        folded = address.casefold()
        return self.is_lifted or folded in self.addresses or folded.rpartition("@")[2] in self.domains


def parse_allow_list(text: str) -> AllowList:
    """Read `a@d.com,*@e.com`; `*` alone lifts the list. Entries that are neither are refused with ValueError."""
    entries = [entry.strip().casefold() for entry in text.split(",") if entry.strip()]
    bad = [entry for entry in entries if entry != EVERYBODY and not entry.rpartition("@")[0]]
    if bad:
        raise ValueError(f"allow-list: {bad[0]!r} is neither an address nor *@domain")
    domains = frozenset(entry[2:] for entry in entries if entry.startswith("*@"))
    addresses = frozenset(entry for entry in entries if "*" not in entry)
    return AllowList(addresses=addresses, domains=domains, is_lifted=EVERYBODY in entries)


def is_simulator(host: str, port: int) -> bool:
    """Whether mail sent there reaches nobody: this machine, and none of the ports on which a local relay listens."""
    if port in MAIL_PORTS:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
