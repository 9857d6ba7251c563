"""Shell on a server, as all parts of Slipway say it; without the SDK, which is slow to import."""

from __future__ import annotations

import shlex

# Follows every content: a connection that breaks looks to the server like the end of a file.
END_OF_FILE = "slipway: end of file\n"

# Before a command of ours on this machine: the engine runs it in the project's folder.
HERE = "PATH=.venv/bin:$PATH; python3 -m"


def as_root(script: str) -> str:
    """The command line that runs a shell script as root for a user with sudo.

    Where we come from is for the journals of the server: sudo would forget it.
    """
    return f'sudo SSH_CLIENT="$SSH_CLIENT" sh -c {shlex.quote(script)}'


def python_script(text: str, interpreter: str) -> str:
    """A program whose first line names an interpreter, for another one of /usr/bin."""
    return text.replace("/usr/bin/python3", f"/usr/bin/{interpreter}", 1)
