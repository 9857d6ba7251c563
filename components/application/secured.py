"""HTTPS at the web servers, whoever signs the certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pulumi

from components.application.application import Application
from components.application.certificates import Certificates, CertificatesArgs
from components.application.kept_chains import kept_chains
from components.application.own_certificates import OwnCertificates, OwnCertificatesArgs
from components.servers.server import Server
from components.settings.settings import Settings
from components.settings.tls import Tls


class Secured(Protocol):
    """What a web tier and the outputs need to know of it."""

    @property
    def ready(self) -> Sequence[Sequence[pulumi.Resource]]:
        """For each server, what nginx needs before it can serve over HTTPS; empty without."""

    def obtain(self, after: Sequence[pulumi.Resource]) -> Mapping[str, Any]:
        """Have what is missing ordered.

        Args:
            after: complete once visitors, and so a CA, get an answer.

        Returns:
            What the state keeps of each site's chain, by the application's name.
        """


class NotSecured:
    """HTTPS ends at the load balancer, or there is none."""

    ready: Sequence[Sequence[pulumi.Resource]] = ()

    def obtain(self, after: Sequence[pulumi.Resource]) -> Mapping[str, Any]:
        return {}


def secure(
    tls: Tls,
    settings: Settings,
    servers: Sequence[Server],
    applications: Sequence[Application],
    earlier: Mapping[str, Any],
) -> Secured:
    """Prepare the servers for what was chosen.

    Args:
        tls: the choice.
        settings: of the environment.
        servers: the web servers.
        applications: of all sites.
        earlier: the outputs of the last successful update.
    """
    here = [each for each in applications if each.tls_here]
    match tls.mode:
        case "servers":
            kept = kept_chains(earlier, tls.certified)
            args = CertificatesArgs(
                settings=settings, servers=servers, applications=here, kept=kept
            )
            return Certificates("certificates", args)
        case "own":
            own = OwnCertificatesArgs(servers=servers, applications=here)
            return OwnCertificates("certificates", own)
        case _:
            return NotSecured()
