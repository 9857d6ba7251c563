"""What counts as this machine in an address."""

from __future__ import annotations

from urllib.parse import urlsplit

ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def is_this_machine(url: str) -> bool:
    """Whether a URL leads to this machine itself, where nothing stands between."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:  # such as an unfinished IPv6 address
        return False
    # All names below localhost lead to the machine itself (RFC 6761, 6.3).
    return name in ON_THIS_MACHINE or name.endswith(".localhost")
