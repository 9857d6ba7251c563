"""The network of an environment: one private network, the deploy key, a firewall for each role.

Firewalls apply by tag, so a server is protected from the moment it is created.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_digitalocean as digitalocean

from components.core.ports import POSTGRESQL, SSH
from components.servers.remote import Host

ANYWHERE = ("0.0.0.0/0", "::/0")
EVERY_PORT = "1-65535"


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    region: str
    ip_range: str
    """The private network, in CIDR form."""
    deploy_key: pulumi.Input[str]
    """Public key of the deploy user, as one authorized_keys line."""
    ssh_from: Sequence[str]
    web_port: int
    db_from: Sequence[str] = ()
    """Addresses that may reach PostgreSQL besides the web servers."""


class Network(pulumi.ComponentResource):
    """Everything the servers of an environment share."""

    vpc_id: pulumi.Output[str]
    ssh_key_id: pulumi.Output[str]
    web_tag: pulumi.Output[str]
    db_tag: pulumi.Output[str]

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self._name = name

        vpc = digitalocean.Vpc(name, region=args.region, ip_range=args.ip_range, opts=child)
        ssh_key = digitalocean.SshKey(f"{name}-deploy", public_key=args.deploy_key, opts=child)
        web_tag = digitalocean.Tag(f"{name}-web", name=f"{name}-web", opts=child)
        db_tag = digitalocean.Tag(f"{name}-db", name=f"{name}-db", opts=child)

        digitalocean.Firewall(
            f"{name}-web",
            tags=[web_tag.name],
            inbound_rules=[
                _inbound(SSH, addresses=args.ssh_from),
                # A load balancer checks their health before it sends requests.
                _inbound(args.web_port, addresses=[args.ip_range]),
                _ping(),
            ],
            outbound_rules=_everything_out(),
            opts=child,
        )
        digitalocean.Firewall(
            f"{name}-db",
            tags=[db_tag.name],
            inbound_rules=[
                _inbound(SSH, addresses=args.ssh_from),
                _inbound(POSTGRESQL, addresses=args.db_from, tags=[web_tag.name]),
                _ping(),
            ],
            outbound_rules=_everything_out(),
            opts=child,
        )

        self.vpc_id = vpc.id
        self.ssh_key_id = ssh_key.id
        self.web_tag = web_tag.name
        self.db_tag = db_tag.name
        self.register_outputs({"vpc_id": self.vpc_id})

    def allow_traffic(
        self,
        ports: Sequence[int],
        *,
        addresses: Sequence[str],
        load_balancer_id: pulumi.Output[str] | None,
    ) -> digitalocean.Firewall:
        """Let visitors reach the web servers: only through the load balancer, if there is one.

        This is a firewall of its own, because it has to wait for the load balancer, and SSH must
        not. A load balancer may connect to every port: while the servers' port changes it uses
        both, for longer than it takes to change a rule.
        """
        return digitalocean.Firewall(
            f"{self._name}-site",
            tags=[self.web_tag],
            inbound_rules=[_inbound(EVERY_PORT, load_balancers=[load_balancer_id])]
            if load_balancer_id
            else [_inbound(port, addresses=addresses) for port in ports],
            opts=pulumi.ResourceOptions(parent=self),
        )


def reserved_address(
    name: str, region: str, droplet: Host, after: Sequence[pulumi.Resource]
) -> digitalocean.ReservedIp:
    """An address that leads to a droplet, and to the next one once that is made in its place.

    Args:
        name: of the resource.
        region: the droplet's.
        droplet: to which it leads.
        after: complete once the droplet serves: only then do visitors come to another one.
    """
    return digitalocean.ReservedIp(
        name,
        region=region,
        droplet_id=droplet.machine_id.apply(int),
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )


def _inbound(
    port: int | str,
    *,
    addresses: Sequence[str] = (),
    tags: Sequence[pulumi.Input[str]] = (),
    load_balancers: Sequence[pulumi.Input[str]] = (),
) -> digitalocean.FirewallInboundRuleArgs:
    return digitalocean.FirewallInboundRuleArgs(
        protocol="tcp",
        port_range=str(port),
        source_addresses=list(addresses) or None,
        source_tags=list(tags) or None,
        source_load_balancer_uids=list(load_balancers) or None,
    )


def _ping() -> digitalocean.FirewallInboundRuleArgs:
    return digitalocean.FirewallInboundRuleArgs(protocol="icmp", source_addresses=list(ANYWHERE))


def _everything_out() -> list[digitalocean.FirewallOutboundRuleArgs]:
    """A cloud firewall drops what no rule permits: servers need packages, DNS and NTP."""
    return [
        digitalocean.FirewallOutboundRuleArgs(
            protocol=protocol,
            port_range=None if protocol == "icmp" else EVERY_PORT,
            destination_addresses=list(ANYWHERE),
        )
        for protocol in ("tcp", "udp", "icmp")
    ]
