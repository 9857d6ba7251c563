"""An existing server as a setting names it; pure.

The form is `[user@]address[:port] [private=address]`, as in
`203.0.113.10`, `admin@web1.example.org:2222 private=10.0.0.10`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

FORM = re.compile(
    r"(?:(?P<user>[a-z_][a-z0-9_-]*)@)?(?P<address>[A-Za-z0-9][A-Za-z0-9.-]*)(?::(?P<port>\d{1,5}))?"
    r"(?: +private=(?P<private>[0-9.]+))?"
)
ALLOWED = (
    "[user@]address[:port], and private=address where the servers reach each other under another"
    " one, such as root@203.0.113.10:22 private=10.0.0.10"
)


@dataclass(frozen=True, kw_only=True)
class ExistingHost:
    address: str
    """An IPv4 address or a name."""
    private_address: str
    """The IPv4 address at which the other servers reach it."""
    port: int = 22
    user: str = ""
    """The user of the first login; empty for `sshUser`."""

    @property
    def known_as(self) -> str:
        """Its name in a known_hosts file (sshd(8))."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"


def parse(text: str) -> ExistingHost:
    """Parse the setting.

    Raises:
        ValueError: it is not of that form, or names no private address where it needs one.
    """
    found = FORM.fullmatch(text.strip())
    if not found:
        raise ValueError
    port = int(found["port"] or 22)
    private = found["private"] or found["address"]
    if not 1 <= port <= 65535 or private != str(_ipv4(private)):
        raise ValueError
    if re.fullmatch(r"[0-9.]+", found["address"]):
        _ipv4(found["address"])
    return ExistingHost(
        address=found["address"], private_address=private, port=port, user=found["user"] or ""
    )


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise ValueError from None
