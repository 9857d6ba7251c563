"""A server is drained before it is destroyed: its requests end first.

The engine changes the load balancer before it destroys anything, and destroys what depends on a
droplet before the droplet itself. So `delete` runs after the load balancer has removed the server,
and before the server is destroyed.
"""

from __future__ import annotations

import pulumi
from pulumi_command import local

from components.core.render import render
from components.servers.remote import Host


class DrainOnDelete(local.Command):
    """Does nothing until it is deleted; then it drains the server, within a limit.

    It runs on this machine and never fails, so that a server that does not answer can still be
    destroyed. A `RemoteScript` would fail, and with it the update.
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
            # Unlike everything else on the server, not `deleted_with` the droplet.
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(depends_on=[host.machine])
            ),
        )
