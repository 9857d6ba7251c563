"""Certificates that a team has from elsewhere, on each web server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.application.application import Application
from components.core import nginx
from components.core.put_file import PutFile
from components.servers.remote import RemoteFile
from components.servers.server import Server


@dataclass(frozen=True, kw_only=True)
class OwnCertificatesArgs:
    servers: Sequence[Server]
    applications: Sequence[Application]
    """Those that have one."""


class OwnCertificates(pulumi.ComponentResource):
    """What nginx needs for HTTPS on each server; a site's configuration waits for `ready`."""

    ready: list[list[pulumi.Resource]]

    def __init__(
        self, name: str, args: OwnCertificatesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:OwnCertificates", name, None, opts)
        self.ready = [self._configure(each, args.applications) for each in args.servers]
        self.register_outputs({})

    def obtain(self, after: Sequence[pulumi.Resource]) -> Mapping[str, Any]:
        """Nothing: it is there already."""
        return {}

    def _configure(
        self, server: Server, applications: Sequence[Application]
    ) -> list[pulumi.Resource]:
        host = server.host
        options = host.options(self, depends_on=[server.ready])
        ready: list[pulumi.Resource] = []
        for app in applications:
            wanted = app.settings
            ready.append(
                RemoteFile(
                    f"{host.name}-{app.prefix}tls-own",
                    host=host,
                    put=PutFile(
                        path=f"{app.tls_folder}/own.pem",
                        mode="0600",
                        site=app.name,
                        check="nginx -t -q",
                        then=nginx.RELOAD,
                    ),
                    # In one file, so that the key is never that of another certificate.
                    content=pulumi.Output.secret(
                        f"{wanted.certificate_key.strip()}\n{wanted.certificate.strip()}\n"
                    ),
                    opts=options,
                )
            )
            ready.append(
                RemoteFile(
                    f"{host.name}-{app.prefix}tls-served",
                    host=host,
                    put=PutFile(
                        path=f"{app.tls_folder}/served-own/https.conf",
                        site=app.name,
                        check="nginx -t -q",
                        then=nginx.RELOAD,
                    ),
                    content=app.once_served_over_https,
                    opts=options,
                )
            )
        return ready
