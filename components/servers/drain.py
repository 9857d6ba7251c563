"""A server that leaves the fleet is seen off: visitors who are being served get their answer first.

The engine changes the load balancer before it destroys anything, and destroys what depends on a
droplet before the droplet: so `delete` here runs after the balancer has let go of the server, and
before the server is gone.
"""

from __future__ import annotations

import pulumi
from pulumi_command import local

from components.core.render import render
from components.servers.remote import Host


class DrainOnDelete(local.Command):
    """Does nothing until it is deleted; then it waits for the server, never for long.

    It runs on this machine and never fails: a server that does not answer is taken away all the
    same. A command over SSH (`RemoteScript`) would fail then, and with it the removal.
    """

    def __init__(
        self, host: Host, app: str, drain_seconds: int, opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(
            f"{host.name}-drain",
            delete=render(
                "drain_server.sh",
                server=host.name,
                user=host.user,
                app=app,
                drain_seconds=drain_seconds,
            ),
            environment={"SERVER_ADDRESS": host.address, "SERVER_KEY": host.host_key},
            stdin=host.private_key,
            add_previous_output_in_env=False,
            # Not `deleted_with` the droplet, as all else on the server is.
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(depends_on=[host.machine])
            ),
        )
