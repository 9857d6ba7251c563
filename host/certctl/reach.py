"""Whether a name leads to these servers, asked exactly as the CA will ask it (RFC 8555, 8.3)."""

from __future__ import annotations

import http.client
import secrets
import socket

from .settings import SiteSettings

SECONDS_FOR_AN_ADDRESS = 5.0
CHALLENGES = "/.well-known/acme-challenge/"
#: The only port at which the CA asks (RFC 8555, 8.3).
CHALLENGE_PORT = 80


def addresses_of(name: str) -> list[str]:
    """Where a name leads: IPv4 and IPv6 addresses; none where the DNS has none."""
    try:
        found = socket.getaddrinfo(name, CHALLENGE_PORT, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(each[4][0]) for each in found})


def wrong_names(site: SiteSettings, thumbprint: str) -> list[str]:
    """A sentence for each name that does not lead here at each of its addresses."""
    return list(filter(None, (wrong_name(name, thumbprint) for name in site.names)))


def wrong_name(name: str, thumbprint: str) -> str:
    """What is wrong with a name; empty if nothing is."""
    addresses = addresses_of(name)
    if not addresses:
        return f"{name} leads nowhere: it has no address in the DNS"
    for address in addresses:
        if problem := wrong_address(name, address, thumbprint):
            return f"{name} leads to {address}, {problem}"
    return ""


def wrong_address(name: str, address: str, thumbprint: str) -> str:
    """Why the CA would not be satisfied with what is at an address; empty if it would be."""
    token = secrets.token_urlsafe(24)
    connection = http.client.HTTPConnection(address, CHALLENGE_PORT, timeout=SECONDS_FOR_AN_ADDRESS)
    try:
        connection.request("GET", CHALLENGES + token, headers={"Host": name})
        answer = connection.getresponse()
        said = answer.read(1000).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"which gives no answer: {error or type(error).__name__}"
    finally:
        connection.close()
    if answer.status == 200 and said == f"{token}.{thumbprint}":
        return ""
    return f"which is not this environment: it answers {answer.status} to the CA's question"
