"""A file of this project on a server, of which the state holds the digest alone.

A `RemoteFile` is in the state twice for each server, as it was wanted and as it was put, and the
state is written anew at each step of an update: for a long file that adds up.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

import pulumi
from pulumi_command import local

from components.core.bundle import program_text
from components.core.project import ROOT
from components.core.put_file import PutFile
from components.core.shell import HERE, python_script
from components.servers.remote import Host

_PUT = f"{HERE} cli.servers.upload_file"


class UploadedFile(local.Command):
    """A program put in its place as a `RemoteFile` is; this machine reads it when it is put."""

    def __init__(
        self,
        name: str,
        *,
        host: Host,
        source: Path,
        put: PutFile,
        interpreter: str,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare the file.

        Args:
            name: unique in the stack.
            host: where it lives.
            source: within the project, a file or a package.
            put: where it goes, and how.
            interpreter: in /usr/bin, such as python3.12: what its first line names.
            opts: made by `Host.options`.
        """
        content = python_script(program_text(source), interpreter)
        digest = hashlib.sha256(content.encode()).hexdigest()
        words: Sequence[str] = [
            host.name,
            str(source.relative_to(ROOT)),
            interpreter,
            digest,
            put.script,
        ]
        super().__init__(
            name,
            create=f"{_PUT} {shlex.join(words)}",
            stdin=pulumi.Output.json_dumps(host.seen_from_here(), sort_keys=True),
            triggers=[host.machine_id],
            logging=local.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=opts,
        )
