"""What an environment runs on: DigitalOcean, or servers that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi

from components.network.visitors_https import VisitorsHttps
from components.servers.distributions.distribution import Distribution
from components.servers.keys import KeyPair
from components.servers.machine import Machine
from components.servers.server import Server
from components.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """The way in for visitors."""

    url: pulumi.Output[str]
    """Of the first site."""
    addresses: Sequence[pulumi.Output[str]]
    """IPv4 addresses at which visitors are answered."""
    resources: Sequence[pulumi.Resource] = ()
    """Complete once visitors get an answer."""


class Platform(Protocol):
    """Provides machines and the network around them. Made only once everything has been checked."""

    @property
    def web_distribution(self) -> Distribution:
        """The distribution of the web servers; all of them are of one family."""

    def distribution(self, server: str) -> Distribution:
        """That of one server, by its name in the stack."""

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the next update needs to know about the platform, for the stack's outputs."""

    def create_shared_resources(self, deploy_key: KeyPair) -> None:
        """Create what all machines share, such as the network."""

    def machine(self, server: str) -> Machine:
        """The machine of a server, by the server's name in the stack (db, web, web-2)."""

    def allow_traffic(
        self,
        servers: Sequence[Server],
        https: VisitorsHttps,
        after: Sequence[pulumi.Resource],
    ) -> Entrance:
        """Let visitors in.

        Args:
            servers: the web servers.
            https: where it ends.
            after: resources that are complete once every server serves the release.
        """


def platform_of(settings: Settings, earlier: Mapping[str, Any]) -> Platform:
    """The platform that the settings name. It is checked, and nothing of it is changed.

    Args:
        settings: of the environment.
        earlier: the outputs of the last successful update.

    Raises:
        SlipwayError: the cloud does not answer, or a server does not qualify.
    """
    # Importing DigitalOcean's package takes half a second, so it happens only where it is used.
    if settings.own_hosts:
        from components.platform.existing_servers import ExistingServers

        return ExistingServers(settings, earlier)
    from components.platform.digitalocean import DigitalOceanPlatform

    return DigitalOceanPlatform(settings, earlier)
