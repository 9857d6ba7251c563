"""Whether the cloud answers: asked once, before each resource would find out for itself.

Only where it is on this machine: elsewhere a proxy may stand between, and the provider knows best.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pulumi

from components.core.errors import SlipwayError
from components.core.this_machine import is_this_machine

SECONDS = 5


def check(address: str) -> None:
    """Try to connect to the API at `address` (a URL; empty for DigitalOcean's own).

    Raises:
        SlipwayError: it is on this machine and nobody listens there.
    """
    if not is_this_machine(address):
        return
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname, url.port or 80), SECONDS).close()
    except OSError:
        raise SlipwayError(
            f"the local cloud does not answer at {address} (digitalocean:apiEndpoint): start it"
            f" with scripts/up {pulumi.get_stack()},"
            f" or python3 -m local_cloud start --port {url.port}"
        ) from None
