"""What counts as this machine in an address."""

from __future__ import annotations

from urllib.parse import urlsplit

ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def is_this_machine(url: str) -> bool:
    """Whether a URL leads to this machine itself, where nothing stands between."""
    try:
        return urlsplit(url).hostname in ON_THIS_MACHINE
    except ValueError:  # such as an unfinished IPv6 address
        return False
