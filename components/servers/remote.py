"""Files and scripts on a server, over SSH.

Every connection pins the server's host key. Secrets go by standard input, because the engine prints
a failing command in full. Every resource has the machine's id among its inputs, so a rebuilt server
is prepared from scratch, and is deleted from the state together with its machine.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi
from pulumi_command import remote
from pulumi_command.remote import Logging as Logging

from components.core import ssh_timeouts
from components.core.project import ROOT
from components.core.put_file import PROGRAM, PutFile
from components.core.shell import END_OF_FILE, as_root
from components.core.undo import command as undo_command

# The bootstrap installs these on every server (components/servers/server.py).
HOST_TOOLS = ROOT / "host"
PUT_FILE = HOST_TOOLS / PROGRAM
NOTE = HOST_TOOLS / "slipway-note"
ON_REMOVE = HOST_TOOLS / "slipway-on-remove"
REMOVE = HOST_TOOLS / "slipway-remove"
RUN_RELEASECTL = HOST_TOOLS / "slipway-releasectl"
TOOLS = (PUT_FILE, NOTE, ON_REMOVE, REMOVE, RUN_RELEASECTL)
TOOLS_FOLDER = "/usr/local/sbin"
# Names who is updating this server, for its journals (components/release/performer.py).
UPDATED_BY = "/etc/slipway/updated-by"


@dataclass(frozen=True, kw_only=True)
class Host:
    """How to reach one server, and the machine that it runs on."""

    name: str
    machine: pulumi.Resource
    """A droplet, or the command that creates the deploy user on an existing server."""
    machine_id: pulumi.Output[str]
    """Changes when the machine is replaced or reinstalled."""
    address: pulumi.Output[str]
    port: int = 22
    private_address: pulumi.Output[str]
    """The address at which the other servers reach it."""
    user: str
    private_key: pulumi.Output[str]
    host_key: pulumi.Output[str]
    connect_seconds: int
    """How long to retry while it refuses connections; attempts that time out take longer."""

    @cached_property
    def connection(self) -> pulumi.Output[remote.ConnectionArgs]:
        """Built once and shared by all resources on the server."""
        known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(
            host=self.address, private_key=self.private_key, host_key=self.host_key
        )
        return known.apply(
            lambda found: remote.ConnectionArgs(
                **found,
                port=None if self.port == 22 else self.port,
                user=self.user,
                dial_error_limit=dials_within(self.connect_seconds),
                per_dial_timeout=ssh_timeouts.DIAL,
            )
        )

    def seen_from_here(self) -> dict[str, pulumi.Input[str | int]]:
        """The same, as inputs of a command that runs on this machine. The private key is secret."""
        return {
            "hostname": self.name,
            "address": self.address,
            "port": self.port,
            "host_key": self.host_key,
            "private_key": self.private_key,
            "connect_seconds": self.connect_seconds,
        }

    def options(
        self, parent: pulumi.Resource, depends_on: Sequence[pulumi.Resource] = ()
    ) -> pulumi.ResourceOptions:
        """Options of every resource on this server, which is deleted together with the machine."""
        return pulumi.ResourceOptions(
            parent=parent, depends_on=list(depends_on), deleted_with=self.machine
        )


class RemoteScript(remote.Command):
    """A shell script that runs as root when it, its input or the machine changes."""

    def __init__(
        self,
        name: str,
        *,
        host: Host,
        script: pulumi.Input[str],
        stdin: pulumi.Input[str] | None = None,
        undo: pulumi.Input[str] | None = None,
        shown: Logging = Logging.STDOUT_AND_STDERR,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare the script.

        Args:
            name: unique in the stack.
            host: where it runs.
            script: POSIX shell. It is printed when it fails, so it must hold no secret.
            stdin: its standard input; secrets go here.
            undo: a script that runs when the resource is deleted and the server stays.
            shown: which of its output the engine shows while it runs.
            opts: made by `Host.options`.
        """
        super().__init__(
            name,
            connection=host.connection,
            create=pulumi.Output.from_input(script).apply(as_root),
            delete=None
            if undo is None
            else pulumi.Output.all(undo, host.machine_id).apply(lambda both: undo_command(*both)),
            stdin=stdin,
            # Another machine has its own `delete`, which is an update: so nothing is undone on one
            # that is gone, where nobody answers any more.
            triggers=[host.machine_id] if undo is None else None,
            logging=shown,
            add_previous_output_in_env=False,
            opts=opts,
        )


class RemoteFile(RemoteScript):
    """A file on a server: written aside, checked, moved into place, and then taken up by its unit.

    If the content fails its check, the old file stays. Standard output is its SHA-256.
    """

    def __init__(
        self,
        name: str,
        *,
        host: Host,
        put: pulumi.Input[PutFile],
        content: pulumi.Input[str],
        gone_with_resource: bool = False,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare the file.

        Args:
            name: unique in the stack.
            host: where it lives.
            put: its path, and how it is put there.
            content: the whole file; goes by standard input, so it may be secret.
            gone_with_resource: whether deleting the resource removes the file.
            opts: made by `Host.options`.
        """
        known = pulumi.Output.from_input(put)
        undo = known.apply(lambda file: shlex.join([REMOVE.name, file.path]))
        super().__init__(
            name,
            host=host,
            script=known.apply(lambda file: file.script),
            stdin=pulumi.Output.concat(content, END_OF_FILE),
            undo=undo if gone_with_resource else None,
            shown=Logging.NONE,
            # Otherwise a replacement would create the file before the old resource removes it.
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(delete_before_replace=gone_with_resource or None)
            ),
        )

    @property
    def digest(self) -> pulumi.Output[str]:
        """SHA-256 of the file on the server. It is no secret, even if the content is one."""
        return pulumi.Output.unsecret(self.stdout)


def dials_within(seconds: float) -> int:
    """How many failed attempts add up to pauses of that length.

    The first pause is 0.1 s, each further one longer by half, up to 5 s (pulumi-command's
    connection.go).
    """
    dials, pause, waited = 0, 0.1, 0.0
    while waited < seconds:
        dials, waited, pause = dials + 1, waited + pause, min(pause * 1.5, 5)
    return dials
