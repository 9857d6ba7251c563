"""A server: a machine, the first contact with it, and the baseline that every server has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi

from components.core.render import render
from components.servers.distributions.distribution import Distribution, Role
from components.servers.keys import KeyPair
from components.servers.machine import Machine
from components.servers.remote import (
    SECONDS_FOR_THE_FIRST_CONTACT,
    TOOLS,
    UPDATED_BY,
    Host,
    Logging,
    RemoteFile,
    RemoteScript,
)


@dataclass(frozen=True, kw_only=True)
class ServerArgs:
    machine: Machine
    role: Role
    deploy_key: KeyPair
    updated_by: str
    """Who changes it, for its journals."""
    connect_seconds: int
    """How long to try to reach it once it has been reached."""
    packages: Sequence[str] = ()
    """Besides those of its role."""
    after_packages: Sequence[str] = ()
    """Shell commands that belong to the packages (run each time, so safe to repeat)."""


class Server(pulumi.ComponentResource):
    """A prepared server: `host` is how to reach it, `ready` what its users wait for."""

    name: str
    distribution: Distribution
    host: Host
    ready: RemoteScript
    address: pulumi.Output[str]
    private_address: pulumi.Output[str]

    def __init__(
        self, name: str, args: ServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Server", name, None, opts)
        machine, system = args.machine, args.machine.distribution
        self.host = machine.opened(name, args.deploy_key, args.connect_seconds, parent=self)
        booting = replace(self.host, connect_seconds=SECONDS_FOR_THE_FIRST_CONTACT)

        first_contact = RemoteScript(
            f"{name}-first-contact",
            host=booting,
            # On standard input, for a failing command is printed whole.
            script='sh -c "$(cat)"',
            stdin=render(
                "first_contact.sh",
                tools={tool.name: tool.read_text() for tool in TOOLS},
                updated_by=args.updated_by,
                updated_by_file=UPDATED_BY,
            ),
            shown=Logging.NONE,
            opts=self.host.options(self),
        )
        after_contact = self.host.options(self, depends_on=[first_contact])
        packages = RemoteScript(
            f"{name}-packages",
            host=self.host,
            script=render(
                system.installer,
                packages=[*system.packages[args.role], *machine.packages, *args.packages],
                afterwards=[
                    kept_running(system.updates_service, "start"),
                    *system.after_packages[args.role],
                    *args.after_packages,
                    *filter(None, [machine.open_port(args.role)]),
                ],
            ),
            opts=after_contact,
        )
        RemoteFile(
            f"{name}-sshd",
            host=self.host,
            path="/etc/ssh/sshd_config.d/slipway.conf",
            content=render(machine.sshd),
            check="sshd -t",
            then=kept_running(system.ssh_service, "reload"),
            opts=after_contact,
        )
        RemoteFile(
            f"{name}-security-updates",
            host=self.host,
            path=system.updates_file,
            content=render(system.updates_template),
            check=system.updates_check,
            opts=after_contact,
        )
        RemoteFile(
            f"{name}-journal",
            host=self.host,
            path="/etc/systemd/journald.conf.d/slipway.conf",
            content=render("journald.conf"),
            then="systemctl restart systemd-journald",
            opts=after_contact,
        )
        self.ready = packages
        for file in machine.files(args.role):
            self.ready = RemoteFile(
                f"{name}-{file.name}",
                host=self.host,
                path=file.path,
                content=file.content,
                check=file.check,
                then=file.then,
                opts=self.host.options(self, depends_on=[self.ready]),
            )

        self.name = machine.name
        self._image = machine.image
        self.distribution = system
        self.address = self.host.address
        self.private_address = self.host.private_address
        self.register_outputs(
            {
                "name": self.name,
                "address": self.address,
                "port": self.host.port,
                "private_address": self.private_address,
                "host_key": self.host.host_key,
                # For whoever looks at it.
                "system": system.facts,
            }
        )

    @property
    def summary(self) -> pulumi.Output[dict[str, str]]:
        """What the stack's outputs say of it."""
        return pulumi.Output.all(
            server=self.host.name,
            name=self.name,
            address=self.address,
            private_address=self.private_address,
            image=self._image,
        )

    def url(self, port: int) -> pulumi.Output[str]:
        """Of what it serves at a port."""
        return pulumi.Output.concat("http://", self.address, "" if port == 80 else f":{port}", "/")


def kept_running(unit: str, verb: str) -> str:
    """Shell: `systemctl <verb> <unit>`, which shall also be there after the next boot.

    To enable what is enabled would take half a second, for systemd reads all units again.
    """
    return (
        f"{{ systemctl is-enabled --quiet {unit} || systemctl enable --quiet {unit}; }}"
        f" && systemctl {verb} {unit}"
    )
