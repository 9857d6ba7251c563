"""Shell commands for servers. Without the SDK, which is slow to import."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

# Ends every upload: to the server a broken connection looks like the end of the file.
END_OF_FILE = "slipway: end of file\n"

# Starts a command of ours on this machine, where the engine runs it in the project's folder.
HERE = "PATH=.venv/bin:$PATH; python3 -m"


def as_root(script: str) -> str:
    """The command line that runs a shell script as root for a user with sudo.

    SSH_CLIENT is for the journals of the server; sudo would drop it.
    """
    return f'sudo SSH_CLIENT="$SSH_CLIENT" sh -c {shlex.quote(script)}'


def python_script(text: str, interpreter: str) -> str:
    """The program with another interpreter in its first line: a path, or a name in /usr/bin."""
    return text.replace("/usr/bin/python3", str(PurePosixPath("/usr/bin", interpreter)), 1)
