"""A shell in a droplet, over SSH, with the host key read from the droplet's own disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from local_cloud.cli.api import Api, address
from local_cloud.machine import MachineError


def connect(
    state: Path, name: str, command: Sequence[str], *, user: str, identity: Path | None
) -> None:
    """Become `ssh`; this returns only by an error."""
    droplet = Api(state).droplet(name)
    alias = f"droplet-{droplet['id']}"
    words = [
        "ssh",
        "-o", f"UserKnownHostsFile={_known_hosts(state, droplet['id'], alias)}",
        "-o", "GlobalKnownHostsFile=/dev/null",
        "-o", f"HostKeyAlias={alias}",
        "-o", "StrictHostKeyChecking=yes",
        "-o", "ConnectTimeout=10",
        *(["-i", str(identity), "-o", "IdentitiesOnly=yes"] if identity else []),
        "-l", user,
        address(droplet, "public"),
        *command,
    ]  # fmt: skip
    os.execvp("ssh", words)  # noqa: S606


def _known_hosts(state: Path, droplet_id: int, alias: str) -> Path:
    """A file with the keys the droplet has now: they changed with it if it was rebuilt."""
    machine = state / "machines" / str(droplet_id)
    keys = sorted((machine / "upper/etc/ssh").glob("ssh_host_*_key.pub"))
    if not keys:
        raise MachineError(f"droplet {droplet_id} has made no host keys yet; is it off or new?")
    path = machine / "known_hosts"
    lines = [f"{alias} {' '.join(key.read_text().split()[:2])}\n" for key in keys]
    path.write_text("".join(lines))
    return path
