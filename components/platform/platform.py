"""Where an environment stands: in a cloud that makes its machines, or on machines of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pulumi

from components.servers.distributions.distribution import Distribution
from components.servers.keys import KeyPair
from components.servers.machine import Machine
from components.servers.server import Server
from components.settings.settings import Settings


class Place(Protocol):
    """What the servers need around them. Made only where all that can be checked is well."""

    @property
    def web_distribution(self) -> Distribution:
        """What the web servers run: one family for all."""

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the next update wants to know of the place, for the stack's outputs."""

    def settle(self, deploy_key: KeyPair) -> None:
        """Make what all machines share."""

    def machine(self, server: str) -> Machine:
        """The machine of a server, by the server's name in the stack (db, web, web-2)."""

    def open_site(
        self, servers: Sequence[Server], after: Sequence[pulumi.Resource]
    ) -> pulumi.Output[str]:
        """Let visitors in; the URL at which they come.

        Args:
            servers: the web servers.
            after: what is done once every server serves the release.
        """


def of(settings: Settings, earlier: Mapping[str, Any]) -> Place:
    """The place that the settings name, looked at but not changed.

    Args:
        settings: of the environment.
        earlier: the outputs of the last good update.

    Raises:
        SlipwayError: the cloud does not answer, or a machine is not what it has to be.
    """
    # DigitalOcean's package takes half a second to import, and is not asked where it has no part.
    if settings.own_hosts:
        from components.platform.existing_servers import OwnMachines

        return OwnMachines(settings, earlier)
    from components.platform.digitalocean import Cloud

    return Cloud(settings, earlier)
