"""The machine that a server runs on: a droplet, or one that exists already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pulumi

from components.core.put_file import ServerFile
from components.servers.distributions.distribution import Distribution, Role
from components.servers.keys import KeyPair
from components.servers.remote import Host

DEPLOY_USER = "deploy"


class Machine(Protocol):
    """One machine, which becomes a server."""

    @property
    def name(self) -> str:
        """The name that people use: the droplet's, or the address."""

    @property
    def image(self) -> str:
        """The image it was created from; empty for an existing machine."""

    @property
    def distribution(self) -> Distribution: ...

    @property
    def packages(self) -> Sequence[str]:
        """In addition to those of the server's role."""

    @property
    def sshd(self) -> str:
        """The template of sshd's additional configuration."""

    def files(self, role: Role) -> Sequence[ServerFile]:
        """In addition to those that every server has."""

    def open_port(self, role: Role) -> str:
        """Shell command that opens the role's port in the machine's own firewall, if it has one."""

    def provision(
        self, name: str, deploy_key: KeyPair, connect_seconds: int, parent: pulumi.Resource
    ) -> Host:
        """Create the machine, or the user deploy on one that exists.

        Args:
            name: the server's name in the stack.
            deploy_key: with which the user deploy logs in.
            connect_seconds: as `Host` has it.
            parent: of the resources.
        """
