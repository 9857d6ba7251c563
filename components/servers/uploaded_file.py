"""A file of this project on a server, of which the state holds only the digest.

The state holds a `RemoteFile` twice for each server, as input and as output, and the engine
rewrites the state at each step of an update. For a long file that adds up.
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
    """A program that is put like a `RemoteFile`; this machine reads it when it uploads it."""

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
            put: its path, and how it is put there.
            interpreter: for its first line, such as python3.12, in /usr/bin.
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
