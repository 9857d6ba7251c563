"""Put a file of this project in its place on a server: `pulumi up` runs this for each.

How to reach the server comes by standard input.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time

from cli.console import fail, status_of
from cli.paths import ROOT
from cli.servers.fleet import SSH_FAILED, UPDATE_SSH_OPTIONS, Fleet, Server
from components.core.bundle import program_text
from components.core.shell import END_OF_FILE, as_root, python_script

SECONDS_BETWEEN_TRIES = 1


def main(server: str, source: str, interpreter: str, digest: str, script: str) -> None:
    """Print what the server says of it: its SHA-256.

    Args:
        server: its name in the stack.
        source: the file or package, within the project.
        interpreter: what its first line is to name.
        digest: what its SHA-256 was when the update was planned.
        script: what is done with it there, as root.
    """
    given = json.load(sys.stdin)
    content = python_script(program_text(ROOT / source), interpreter)
    if hashlib.sha256(content.encode()).hexdigest() != digest:
        fail(f"{source} has changed since this update began: run it again")
    key, seconds = given.pop("private_key"), given.pop("connect_seconds")
    target = Server(name=server, **given)
    until = time.monotonic() + seconds
    with Fleet("", {server: target}, key).ssh_session() as session:
        while True:
            done = subprocess.run(
                session.ssh(target, as_root(script), options=UPDATE_SSH_OPTIONS),
                input=content + END_OF_FILE,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != SSH_FAILED or time.monotonic() > until:
                break
            time.sleep(SECONDS_BETWEEN_TRIES)
    if done.returncode != 0:
        fail(f"{server}: {done.stderr.strip()}")
    print(done.stdout.strip())  # noqa: T201 - the output of the resource


if __name__ == "__main__":
    sys.exit(status_of(lambda: main(*sys.argv[1:])))
