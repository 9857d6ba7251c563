"""What a server stands on: a droplet, or a machine that is there already."""

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
    """One machine, before and while it becomes a server."""

    @property
    def name(self) -> str:
        """How people know it: the droplet's name, or the address."""

    @property
    def image(self) -> str:
        """What it was made from; empty where somebody else made it."""

    @property
    def distribution(self) -> Distribution: ...

    @property
    def packages(self) -> Sequence[str]:
        """Besides those of the server's role."""

    @property
    def sshd(self) -> str:
        """The template of its additions to sshd's configuration."""

    def files(self, role: Role) -> Sequence[ServerFile]:
        """Besides those that every server has."""

    def open_port(self, role: Role) -> str:
        """Shell command that lets the role's visitors through a firewall of the machine's own."""

    def opened(
        self, name: str, deploy_key: KeyPair, connect_seconds: int, parent: pulumi.Resource
    ) -> Host:
        """Make the machine, or the user deploy on it.

        Args:
            name: the server's name in the stack.
            deploy_key: opens it from then on.
            connect_seconds: as `Host` has it.
            parent: of what is made.
        """
