"""SSH to a server of an environment, with the keys from its state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.commands.engine import fail, resources


def main(stack: str, name: str = "web", *command: str) -> int:
    state = resources(stack)
    server = _find(state, name, stack)
    address = state[f"Droplet {server}"]["ipv4Address"]
    with TemporaryDirectory(dir=os.environ["SLIPWAY_HOME"]) as folder:
        # ssh reads keys from files only: ours is for this user alone, and goes with the call.
        key, hosts = Path(folder, "key"), Path(folder, "known_hosts")
        key.touch(mode=0o600)
        key.write_text(_private(state["Command deploy-key"]["stdout"]))
        # Ctrl-C is for ssh: we wait until it has ended.
        signal.signal(signal.SIGINT, lambda _signal, _frame: None)
        hosts.write_text(f"{address} {_public(state[f'Command {server}-host-key']['stdout'])}\n")
        return subprocess.call(
            [
                "ssh",
                *("-i", str(key)),
                *("-o", "IdentitiesOnly=yes"),
                *("-o", f"UserKnownHostsFile={hosts}"),
                *("-o", "StrictHostKeyChecking=yes"),
                *("-o", "LogLevel=ERROR"),
                f"deploy@{address}",
                *command,
            ]
        )


def _find(state: dict[str, Any], name: str, stack: str) -> str:
    """The server by its name in the stack (web) or at the provider (dev-web)."""
    servers = {
        key.removeprefix("Droplet "): droplet["name"]
        for key, droplet in state.items()
        if key.startswith("Droplet ")
    }
    for server, hostname in servers.items():
        if name in (server, hostname):
            return server
    return fail(
        f"{stack} has no server {name!r}: must be one of {', '.join(servers) or 'none yet'}"
    )


def _public(pair: str) -> str:
    return pair.split("\n", 1)[0]


def _private(pair: str) -> str:
    return pair.split("\n", 1)[1].strip() + "\n"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
