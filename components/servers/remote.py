"""Files and scripts on a server, over SSH.

Every connection pins the server's host key. Whatever is secret goes by standard input, for a
failing command is printed whole. Every resource carries the machine's id as a trigger, so that a
rebuilt server is prepared again from nothing, and is forgotten together with its machine.
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

from components.core.project import ROOT
from components.core.put_file import PROGRAM, PutFile
from components.core.shell import END_OF_FILE, as_root

# What a slow first boot takes.
SECONDS_FOR_THE_FIRST_CONTACT = 300
# A server that does not even refuse is given up for this time. (Default of pulumi-command: 15.)
SECONDS_FOR_A_DIAL = 5
# Every server has these from the first contact on (components/servers/server.py).
HOST_TOOLS = ROOT / "host"
PUT_FILE = HOST_TOOLS / PROGRAM
NOTE = HOST_TOOLS / "slipway-note"
ON_REMOVE = HOST_TOOLS / "slipway-on-remove"
REMOVE = HOST_TOOLS / "slipway-remove"
RUN_RELEASECTL = HOST_TOOLS / "slipway-releasectl"
TOOLS = (PUT_FILE, NOTE, ON_REMOVE, REMOVE, RUN_RELEASECTL)
TOOLS_FOLDER = "/usr/local/sbin"
# Who changes this server, for its journals (components/release/performer.py).
UPDATED_BY = "/etc/slipway/updated-by"


@dataclass(frozen=True, kw_only=True)
class Host:
    """How to reach one server, and the machine it lives and dies with."""

    name: str
    machine: pulumi.Resource
    """A droplet, or the first contact with a server of one's own."""
    machine_id: pulumi.Output[str]
    """Another one where the machine is another one, or was installed anew."""
    address: pulumi.Output[str]
    port: int = 22
    private_address: pulumi.Output[str]
    """Where the other servers reach it."""
    user: str
    private_key: pulumi.Output[str]
    host_key: pulumi.Output[str]
    connect_seconds: int
    """How long to try where it refuses; where it is silent, each try takes its time besides."""

    @cached_property
    def connection(self) -> pulumi.Output[remote.ConnectionArgs]:
        """One for all that is done there: each further one would be put together anew."""
        known: pulumi.Output[dict[str, Any]] = pulumi.Output.all(
            host=self.address, private_key=self.private_key, host_key=self.host_key
        )
        return known.apply(
            lambda found: remote.ConnectionArgs(
                **found,
                port=None if self.port == 22 else self.port,
                user=self.user,
                dial_error_limit=dials_within(self.connect_seconds),
                per_dial_timeout=SECONDS_FOR_A_DIAL,
            )
        )

    def seen_from_here(self) -> dict[str, pulumi.Input[str | int]]:
        """The same for a command on this machine; the private key is a secret."""
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
        """Options of everything on this server: gone with the machine, not undone on it."""
        return pulumi.ResourceOptions(
            parent=parent, depends_on=list(depends_on), deleted_with=self.machine
        )


class RemoteScript(remote.Command):
    """A shell script, safe to repeat, run as root when it, its input or the machine changes."""

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
            script: POSIX shell; printed when it fails, so it holds no secret.
            stdin: its standard input; secrets go here.
            undo: a script that runs when this is taken away and the server stays.
            shown: which of its output a person sees while it runs.
            opts: made by `Host.options`.
        """
        super().__init__(
            name,
            connection=host.connection,
            create=pulumi.Output.from_input(script).apply(as_root),
            delete=None if undo is None else pulumi.Output.from_input(undo).apply(as_root),
            stdin=stdin,
            triggers=[host.machine_id],
            logging=shown,
            add_previous_output_in_env=False,
            opts=opts,
        )


class RemoteFile(RemoteScript):
    """A file on a server: put aside, checked, moved into place; then what uses it is told.

    A content that fails its check leaves the old file as it was. Standard output is its SHA-256.
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
            put: where it goes, and how.
            content: the whole file; goes by standard input, so it may be secret.
            gone_with_resource: whether it is removed when the program has it no more.
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
            opts=opts,
        )

    @property
    def digest(self) -> pulumi.Output[str]:
        """SHA-256 of the content as it is on the server; not a secret even where the content is."""
        return pulumi.Output.unsecret(self.stdout)


def dials_within(seconds: float) -> int:
    """How many failures to forgive, so that the pauses between the tries last that long.

    The first pause is 0.1 s, each further one longer by half, up to 5 s (pulumi-command's
    connection.go).
    """
    dials, pause, waited = 0, 0.1, 0.0
    while waited < seconds:
        dials, waited, pause = dials + 1, waited + pause, min(pause * 1.5, 5)
    return dials
