"""A machine at DigitalOcean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_digitalocean as digitalocean

from components.core.put_file import ServerFile
from components.core.render import render
from components.network.network import Network
from components.platform.resize import Resize
from components.servers.distributions import registry
from components.servers.distributions.distribution import Distribution, Role
from components.servers.keys import KeyPair
from components.servers.machine import DEPLOY_USER
from components.servers.remote import Host


@dataclass(frozen=True, kw_only=True)
class Droplet:
    """A `Machine` that is created for the server."""

    name: str
    """Hostname, and the droplet's name."""
    region: str
    image: str
    size: str
    network: Network
    tag: pulumi.Input[str]
    """The tag of its role, to which its firewall applies."""
    backups: bool = False
    protected: bool = False
    """Whether the engine refuses to destroy or replace it (Pulumi's `protect`)."""
    resize: Resize | None = None
    """For a web server: how it is resized."""
    hints: Sequence[str] = ()
    """Further labels of the droplet, see `local_hints`."""

    @property
    def distribution(self) -> Distribution:
        return registry.of_image(self.image)

    @property
    def packages(self) -> Sequence[str]:
        return ()

    @property
    def sshd(self) -> str:
        return "sshd.conf"

    def files(self, role: Role) -> Sequence[ServerFile]:
        """None: its firewall is DigitalOcean's."""
        return ()

    def open_port(self, role: Role) -> str:
        return ""

    def provision(
        self, name: str, deploy_key: KeyPair, connect_seconds: int, parent: pulumi.Resource
    ) -> Host:
        host_key = KeyPair(f"{name}-host-key", opts=pulumi.ResourceOptions(parent=parent))
        droplet = digitalocean.Droplet(
            name,
            name=self.name,
            region=self.region,
            image=self.image,
            size=self.size,
            vpc_uuid=self.network.vpc_id,
            ssh_keys=[self.network.ssh_key_id],
            user_data=_cloud_config(host_key, deploy_key),
            tags=[self.tag, *self.hints],
            backups=self.backups,
            # DigitalOcean moves an image slug on; that must not replace a running server.
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(
                    parent=parent, ignore_changes=["image"], protect=self.protected
                ),
                self.resize.options(name, host_key, deploy_key) if self.resize else None,
            ),
        )
        if self.resize:
            self.resize.made(droplet)
        return Host(
            name=name,
            machine=droplet,
            machine_id=droplet.id,
            address=droplet.ipv4_address,
            private_address=droplet.ipv4_address_private,
            user=DEPLOY_USER,
            private_key=deploy_key.private,
            host_key=host_key.public,
            connect_seconds=connect_seconds,
        )


def _cloud_config(host_key: KeyPair, deploy_key: KeyPair) -> pulumi.Output[str]:
    """Secret, because it contains the host's private key."""
    keys: pulumi.Output[dict[str, str]] = pulumi.Output.all(
        host_private_key=host_key.private,
        host_public_key=host_key.public,
        deploy_key=deploy_key.public,
    )
    return keys.apply(lambda values: render("cloud-config.yaml", **values))


def local_hints(
    *, address: int = 0, forwards: Sequence[tuple[int, int]] = (), balancer: Sequence[str] = ()
) -> list[str]:
    """Tags that ask the local cloud for a private address and forwarded ports of 127.0.0.1.

    Args:
        address: number in the private network; 0 for any.
        forwards: each the port of 127.0.0.1 (0 for none) and the port of the server it leads to.
        balancer: the ports of 127.0.0.1 that lead to the load balancer in front, each with its port
            there, such as `8080:80`.
    """
    hints = [f"local:address:{address}"] if address else []
    hints += [f"local:forward:{local}:{port}" for local, port in forwards if local]
    hints += [f"local:balancer:{each}" for each in balancer]
    return hints
