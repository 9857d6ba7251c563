"""The load balancer in front of several web servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_digitalocean as digitalocean

from components.core import nginx, ports
from components.core.paths import configuration_folder
from components.core.put_file import PutFile
from components.core.render import render
from components.network.balancer_check import (
    CHECKS_UNTIL_HEALTHY,
    CHECKS_UNTIL_UNHEALTHY,
    INTERVAL_SECONDS,
    SECONDS_TO_JUDGE,
)
from components.network.network import Network
from components.network.visitors_https import VisitorsHttps
from components.servers.drain import DrainOnDelete
from components.servers.remote import Host, RemoteFile


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    region: str
    network: Network
    hosts: Sequence[Host]
    port: int
    """The port that the web servers listen on."""
    health_path: str
    after: Sequence[pulumi.Resource]
    """Complete once every server serves the release: only then does a new server get traffic."""
    apps: Sequence[str]
    """The names of the applications. The first site's health counts as the server's."""
    drain_seconds: int
    https: VisitorsHttps
    """Whether it ends here, or at the servers, to which it is passed through."""


class LoadBalancer(pulumi.ComponentResource):
    """Spreads requests over the healthy web servers; `address` is its public address."""

    id: pulumi.Output[str]
    address: pulumi.Output[str]

    def __init__(
        self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:LoadBalancer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # The first server is never removed while there are any.
        drains = [
            DrainOnDelete(host, args.apps[0], args.drain_seconds, child) for host in args.hosts[1:]
        ]
        balancer = digitalocean.LoadBalancer(
            name,
            region=args.region,
            vpc_uuid=args.network.vpc_id,
            # By id, not by tag: so a server is removed here before its droplet is destroyed.
            droplet_ids=[host.machine_id.apply(int) for host in args.hosts],
            forwarding_rules=self._rules(name, args),
            # What it says of a visitor whose TLS it passes through. Its checks come without.
            enable_proxy_protocol=args.https.tls.ends_at_servers,
            # Else DigitalOcean makes a record for the domain itself.
            disable_lets_encrypt_dns_records=args.https.tls.mode == "balancer" or None,
            healthcheck=digitalocean.LoadBalancerHealthcheckArgs(
                protocol="http",
                port=args.port,
                path=args.health_path,
                check_interval_seconds=INTERVAL_SECONDS,
                response_timeout_seconds=INTERVAL_SECONDS,
                healthy_threshold=CHECKS_UNTIL_HEALTHY,
                unhealthy_threshold=CHECKS_UNTIL_UNHEALTHY,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.after, *drains]),
        )
        self.id = balancer.id
        self.address = balancer.ip
        for host in args.hosts:
            for app in args.apps:
                self._configure(host, app, args)
                if args.https.tls.mode == "balancer" and app in args.https.once_served:
                    self._send_to_https(host, app, args, balancer)
        self.register_outputs({"address": self.address})

    def _send_to_https(
        self, host: Host, app: str, args: LoadBalancerArgs, balancer: pulumi.Resource
    ) -> None:
        """Only once the load balancer serves HTTPS."""
        RemoteFile(
            f"{host.name}-{app}-https" if app != args.apps[0] else f"{host.name}-https",
            host=host,
            put=PutFile(
                path=f"{configuration_folder(app)}/tls/served-by-balancer/https.conf",
                site=app,
                check="nginx -t -q",
                unit=nginx.UNIT,
            ),
            content=args.https.once_served[app],
            gone_with_resource=True,
            opts=host.options(self, depends_on=[balancer]),
        )

    def _rules(
        self, name: str, args: LoadBalancerArgs
    ) -> list[digitalocean.LoadBalancerForwardingRuleArgs]:
        rule = digitalocean.LoadBalancerForwardingRuleArgs
        passed_on = args.https.tls.ends_at_servers
        http = rule(
            entry_protocol="http",
            entry_port=ports.HTTP,
            target_protocol="http",
            target_port=ports.PROXIED_HTTP if passed_on else args.port,
        )
        if args.https.tls.mode == "off":
            return [http]
        if passed_on:
            https = rule(
                entry_protocol="https",
                entry_port=ports.HTTPS,
                target_protocol="https",
                target_port=ports.PROXIED_HTTPS,
                tls_passthrough=True,
            )
            return [http, https]
        certificate = digitalocean.Certificate(
            f"{name}-certificate",
            type="lets_encrypt",
            domains=list(args.https.names),
            # The new one is there before the old one goes, so their names differ.
            opts=pulumi.ResourceOptions(parent=self),
        )
        https = rule(
            entry_protocol="https",
            entry_port=ports.HTTPS,
            target_protocol="http",
            target_port=args.port,
            certificate_name=certificate.name,
        )
        return [http, https]

    def _configure(self, host: Host, app: str, args: LoadBalancerArgs) -> None:
        """Tell a server the load balancer's address, through which it also checks its switches.

        It checks now, too: a load balancer sends requests to a server before its first check, and
        takes a moment to find out that it should not.
        """
        configuration = configuration_folder(app)
        RemoteFile(
            f"{host.name}-{app}-balancer" if app != args.apps[0] else f"{host.name}-balancer",
            host=host,
            put=PutFile(
                path=f"{configuration}/balancer",
                site=app,
                then=render("close_old_port.sh", app=app, configuration=configuration)
                + f"releasectl --app {app} watch --seconds {SECONDS_TO_JUDGE} >/dev/null"
                f" # it asks port {args.port} for {args.health_path}\n",
            ),
            content=pulumi.Output.concat(self.address, f" {host.name}\n"),
            gone_with_resource=True,
            opts=host.options(self),
        )
