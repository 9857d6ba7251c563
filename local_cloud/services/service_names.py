"""The cloud's own domain, in which its services have names: `acme.cloud.localhost`.

Hosts reach these services at the gateway of their public network. On this computer programs that
know of `localhost` (RFC 6761, 6.3) take the same names for 127.0.0.1.
"""

from __future__ import annotations

import zlib
from ipaddress import IPv4Address, IPv4Network

from local_cloud.machine import Zone

DOMAIN = "cloud.localhost"
SERVICES = ("acme",)
"""The first label of each service's name."""
TTL_SECONDS = 60


def service_name(service: str) -> str:
    """The whole name of one of `SERVICES`, as hosts ask for it."""
    if service not in SERVICES:
        raise ValueError(f"{service!r} is none of the cloud's services ({', '.join(SERVICES)})")
    return f"{service}.{DOMAIN}"


def service_address(public_network: IPv4Network) -> IPv4Address:
    """Where the hosts of a cloud reach services of this computer; the firewall leads them on."""
    return public_network.network_address + 1


def service_zone(public_network: IPv4Network) -> Zone:
    """The domain with the names of all services.

    Its serial is different in each cloud of this computer, for their addresses are: by it a cloud
    knows its own name server.
    """
    address = service_address(public_network)
    serial = zlib.crc32(f"{address} {SERVICES}".encode())
    lines = [
        f"$ORIGIN {DOMAIN}.",
        f"$TTL {TTL_SECONDS}",
        f"@ IN SOA ns.{DOMAIN}. hostmaster.{DOMAIN}. {serial} 10800 3600 604800 {TTL_SECONDS}",
        f"@ IN NS ns.{DOMAIN}.",
        *(f"{label} IN A {address}" for label in ("ns", *SERVICES)),
    ]
    return Zone(name=DOMAIN, serial=serial, text="\n".join([*lines, ""]))
