"""A server: a droplet, the first contact with it, and the baseline that every server has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_digitalocean as digitalocean

from components.identity import KeyPair
from components.network import Network
from components.remote import (
    NOTE,
    PUT_FILE,
    SECONDS_FOR_THE_FIRST_CONTACT,
    UPDATED_BY,
    Host,
    Logging,
    RemoteFile,
    RemoteScript,
)
from components.render import render

DEPLOY_USER = "deploy"
BASELINE_PACKAGES = ("ca-certificates", "unattended-upgrades")


@dataclass(frozen=True, kw_only=True)
class ServerArgs:
    name: str
    """Hostname, and the droplet's name."""
    region: str
    image: str
    size: str
    network: Network
    tag: pulumi.Input[str]
    """The tag of its role, to which its firewall applies."""
    deploy_key: KeyPair
    updated_by: str
    """Who changes it, for its journals."""
    connect_seconds: int
    """How long to try to reach it once it has been reached."""
    packages: Sequence[str]
    """Debian packages of its role."""
    after_packages: Sequence[str] = ()
    """Shell commands of its role that belong to the packages (run each time, so safe to repeat)."""
    backups: bool = False
    protected: bool = False
    """Whether the engine refuses to destroy or replace it."""
    hints: Sequence[str] = ()
    """Further labels of the droplet, see `local_hints`."""


class Server(pulumi.ComponentResource):
    """A prepared server: `host` is how to reach it, `ready` what its users wait for."""

    name: str
    host: Host
    ready: RemoteScript
    address: pulumi.Output[str]
    private_address: pulumi.Output[str]

    def __init__(
        self, name: str, args: ServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Server", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        host_key = KeyPair(f"{name}-host-key", opts=child)
        droplet = digitalocean.Droplet(
            name,
            name=args.name,
            region=args.region,
            image=args.image,
            size=args.size,
            vpc_uuid=args.network.vpc_id,
            ssh_keys=[args.network.ssh_key_id],
            user_data=_cloud_config(host_key, args.deploy_key),
            tags=[args.tag, *args.hints],
            backups=args.backups,
            # An image slug moves on at DigitalOcean; a running server is not replaced for it.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["image"], protect=args.protected
            ),
        )
        self.host = Host(
            name=name,
            droplet=droplet,
            droplet_id=droplet.id,
            address=droplet.ipv4_address,
            user=DEPLOY_USER,
            private_key=args.deploy_key.private,
            host_key=host_key.public,
            connect_seconds=args.connect_seconds,
        )
        booting = replace(self.host, connect_seconds=SECONDS_FOR_THE_FIRST_CONTACT)

        first_contact = RemoteScript(
            f"{name}-first-contact",
            host=booting,
            # On standard input, for a failing command is printed whole.
            script='sh -c "$(cat)"',
            stdin=render(
                "first_contact.sh",
                tools={tool.name: tool.read_text() for tool in (PUT_FILE, NOTE)},
                updated_by=args.updated_by,
                updated_by_file=UPDATED_BY,
            ),
            shown=Logging.NONE,
            opts=self.host.options(self),
        )
        after_contact = self.host.options(self, depends_on=[first_contact])
        self.ready = RemoteScript(
            f"{name}-packages",
            host=self.host,
            script=render(
                "install_packages.sh",
                packages=[*BASELINE_PACKAGES, *args.packages],
                afterwards=[kept_running("unattended-upgrades", "start"), *args.after_packages],
            ),
            opts=after_contact,
        )
        RemoteFile(
            f"{name}-sshd",
            host=self.host,
            path="/etc/ssh/sshd_config.d/slipway.conf",
            content=render("sshd.conf"),
            check="sshd -t",
            then=kept_running("ssh", "reload"),
            opts=after_contact,
        )
        RemoteFile(
            f"{name}-security-updates",
            host=self.host,
            path="/etc/apt/apt.conf.d/60slipway",
            content=render("unattended-upgrades.conf"),
            check="apt-config dump",
            opts=after_contact,
        )

        self.name = args.name
        self.address = droplet.ipv4_address
        self.private_address = droplet.ipv4_address_private
        self.register_outputs({"address": self.address, "private_address": self.private_address})

    @property
    def summary(self) -> pulumi.Output[dict[str, str]]:
        """What the stack's outputs say of it."""
        return pulumi.Output.all(
            server=self.host.name,
            name=self.name,
            address=self.address,
            private_address=self.private_address,
        )


def kept_running(unit: str, verb: str) -> str:
    """Shell: `systemctl <verb> <unit>`, which shall also be there after the next boot.

    To enable what is enabled would take half a second, for systemd reads all units again.
    """
    return (
        f"{{ systemctl is-enabled --quiet {unit} || systemctl enable --quiet {unit}; }}"
        f" && systemctl {verb} {unit}"
    )


def _cloud_config(host_key: KeyPair, deploy_key: KeyPair) -> pulumi.Output[str]:
    """Secret, for the host's private key is in it."""
    keys: pulumi.Output[dict[str, str]] = pulumi.Output.all(
        host_private_key=host_key.private,
        host_public_key=host_key.public,
        deploy_key=deploy_key.public,
    )
    return keys.apply(lambda values: render("cloud-config.yaml", **values))


def local_hints(
    *, address: int = 0, forward: tuple[int, int] = (0, 0), balancer: int = 0
) -> list[str]:
    """Labels by which the local cloud gives a private address and forwards a port of 127.0.0.1.

    Args:
        address: wanted number in the private network; 0 for any.
        forward: the port of 127.0.0.1 (0 for none) and the port of the server it leads to.
        balancer: the port of 127.0.0.1 that leads to the load balancer in front; 0 for none.
    """
    hints = [f"local:address:{address}"] if address else []
    local, port = forward
    if local:
        hints.append(f"local:forward:{local}:{port}")
    if balancer:
        hints.append(f"local:balancer:{balancer}")
    return hints
