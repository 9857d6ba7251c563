"""A server: a machine, its bootstrap over SSH, and the baseline that every server has."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi

from components.core import ssh_timeouts
from components.core.put_file import PutFile, Unit
from components.core.render import render
from components.core.undo import MACHINE
from components.servers.distributions.distribution import Distribution, Role
from components.servers.keys import KeyPair
from components.servers.machine import Machine
from components.servers.remote import (
    TOOLS,
    TOOLS_FOLDER,
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
    """Who is updating it, for its journals."""
    connect_seconds: int
    """How long to retry connecting after the bootstrap."""
    packages: Sequence[str] = ()
    """In addition to those of its role."""
    post_install: Sequence[str] = ()
    """Shell commands that run after the packages are installed. Safe to repeat."""


class Server(pulumi.ComponentResource):
    """A prepared server. `host` is how to reach it; `ready` is what other components depend on."""

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
        self.host = machine.provision(name, args.deploy_key, args.connect_seconds, parent=self)
        booting = replace(self.host, connect_seconds=ssh_timeouts.BOOT)

        bootstrap = RemoteScript(
            f"{name}-bootstrap",
            host=booting,
            # By standard input, because the engine prints a failing command in full.
            script='sh -c "$(cat)"',
            stdin=self.host.machine_id.apply(
                lambda machine: render(
                    "bootstrap.sh",
                    tools={tool.name: tool.read_text() for tool in TOOLS},
                    folder=TOOLS_FOLDER,
                    machine=machine,
                    machine_file=MACHINE,
                    updated_by=args.updated_by,
                    updated_by_file=UPDATED_BY,
                )
            ),
            shown=Logging.NONE,
            opts=self.host.options(self),
        )
        after_bootstrap = self.host.options(self, depends_on=[bootstrap])
        packages = RemoteScript(
            f"{name}-packages",
            host=self.host,
            script=render(
                system.installer,
                packages=[*system.packages[args.role], *machine.packages, *args.packages],
                afterwards=[
                    *system.post_install[args.role],
                    *args.post_install,
                    *filter(None, [machine.open_port(args.role)]),
                ],
            ),
            opts=after_bootstrap,
        )
        RemoteFile(
            f"{name}-sshd",
            host=self.host,
            put=PutFile(
                path="/etc/ssh/sshd_config.d/slipway.conf",
                check="sshd -t",
                unit=Unit(name=system.ssh_unit, verb="reload"),
            ),
            content=render(machine.sshd),
            opts=after_bootstrap,
        )
        RemoteFile(
            f"{name}-security-updates",
            host=self.host,
            put=PutFile(
                path=system.updates_file,
                check=system.updates_check,
                unit=Unit(name=system.updates_unit, verb="start"),
            ),
            content=render(system.updates_template),
            opts=self.host.options(self, depends_on=[packages]),
        )
        RemoteFile(
            f"{name}-journal",
            host=self.host,
            put=PutFile(
                path="/etc/systemd/journald.conf.d/slipway.conf",
                unit=Unit(name="systemd-journald.service", verb="restart"),
            ),
            content=render("journald.conf"),
            opts=after_bootstrap,
        )
        self.ready = packages
        for file in machine.files(args.role):
            self.ready = RemoteFile(
                f"{name}-{file.name}",
                host=self.host,
                put=file.put,
                content=file.content,
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
                # For scripts/status.
                "system": system.facts,
                "tools": {
                    f"{TOOLS_FOLDER}/{tool.name}": hashlib.sha256(tool.read_bytes()).hexdigest()
                    for tool in TOOLS
                },
            }
        )

    @property
    def summary(self) -> pulumi.Output[dict[str, str]]:
        """What the stack's outputs say about it."""
        return pulumi.Output.all(
            server=self.host.name,
            name=self.name,
            address=self.address,
            private_address=self.private_address,
            image=self._image,
        )

    def url(self, port: int) -> pulumi.Output[str]:
        """The URL of what it serves at a port."""
        return http_url(self.address, port)


def http_url(address: pulumi.Output[str], port: int) -> pulumi.Output[str]:
    """The URL of what is served at a port of an address."""
    return pulumi.Output.concat("http://", address, "" if port == 80 else f":{port}", "/")
