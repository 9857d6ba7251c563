"""Chains of certificates that the environment's state keeps, for servers that are made anew.

Servers renew certificates by themselves, so what the state has may be older than what is served.
Each update looks, and keeps what it sees. A new server is given what is kept: a certificate that
still lasts is not ordered again.
"""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

#: Name of the stack output.
OUTPUT = "certificates"
SECONDS_FOR_A_SERVER = 2
LONGEST_CHAIN = 100_000
ENDS = "-----END CERTIFICATE-----"


@dataclass(frozen=True, kw_only=True)
class KeptChain:
    """That of one site."""

    latest: str = ""
    """In PEM; empty where nothing is known."""
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By server: the machine and the chain that it was given when it was new."""

    def for_server(self, server: str, machine_id: str) -> str:
        """What a server gets: the same as ever while it is the same machine, else the latest."""
        known = self.given.get(server) or {}
        return known.get("chain", "") if known.get("machine") == machine_id else self.latest

    def output(
        self, machines: Mapping[str, pulumi.Output[str]], obtained: pulumi.Input[str]
    ) -> pulumi.Output[dict[str, Any]]:
        """What the next update needs to know.

        Args:
            machines: the ids of the machines, by server.
            obtained: the chain that a server had at the end of the update in which it got one.
        """
        return pulumi.Output.all(obtained=obtained, machines=pulumi.Output.all(**machines)).apply(
            lambda found: {
                "latest": self.latest or found["obtained"],
                "given": {
                    server: {"machine": machine, "chain": self.for_server(server, machine)}
                    for server, machine in found["machines"].items()
                },
            }
        )


def kept_chains(earlier: Mapping[str, Any], apps: Sequence[str]) -> dict[str, KeptChain]:
    """What is known, by the application's name.

    Args:
        earlier: the outputs of the last successful update.
        apps: the sites that have certificates.
    """
    known, entrance = earlier.get(OUTPUT) or {}, str(earlier.get("entrance") or "")
    found = {}
    for app in apps:
        before = known.get(app) or {}
        served = _served(entrance, app) if before and entrance else ""
        found[app] = KeptChain(
            latest=served or before.get("latest") or "", given=before.get("given") or {}
        )
    return found


def _served(entrance: str, app: str) -> str:
    """The chain that a web server shows; empty where it cannot be had.

    Args:
        entrance: the URL at which visitors come in without HTTPS.
        app: the application's name.
    """
    url = f"{entrance}.well-known/slipway/{app}.pem"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_FOR_A_SERVER) as answer:  # noqa: S310
            text: str = answer.read(LONGEST_CHAIN).decode()
            is_whole = not answer.length  # what of it has not come
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    is_chain = text.startswith("# ordered from ") and text.rstrip().endswith(ENDS)
    return text if is_whole and is_chain else ""
