"""Ports of this computer's loopback that lead to machines: one detached haproxy for all of a cloud.

A port that leads elsewhere from one moment to the next is never closed meanwhile, and connections
go on as they began.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

from local_cloud.hosts.haproxy import Haproxy
from local_cloud.hosts.models import write_atomically
from local_cloud.hosts.names import Names
from local_cloud.machine import Forward, MachineError

LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 5
MOST_CONNECTIONS = 4000
IDLE_HOURS = 24
"""How long a connection may be silent: as good as forever, for a person at psql."""


def render(forwards: Iterable[Forward], common: Iterable[str]) -> str:
    """The configuration of the haproxy that is all forwards."""
    lines = [
        *common,
        f"\tmaxconn {MOST_CONNECTIONS}",
        "",
        "defaults",
        "\tmode tcp",
        f"\ttimeout connect {CONNECT_SECONDS}s",
        f"\ttimeout client {IDLE_HOURS}h",
        f"\ttimeout server {IDLE_HOURS}h",
    ]
    for forward in sorted(forwards, key=lambda forward: forward.loopback_port):
        lines += [
            "",
            f"listen {forward.loopback_port}",
            f"\tbind {LOOPBACK}:{forward.loopback_port}",
            f"\tserver there {forward.address}:{forward.port}",
        ]
    return "\n".join([*lines, ""])


class Forwards:
    """The forwards of one cloud, recorded in a folder so that they are found after any crash."""

    def __init__(self, folder: Path, names: Names) -> None:
        self.folder = folder
        self.haproxy = Haproxy(folder, f"{names.machine_prefix}forwards", names.tag)

    @classmethod
    def of(cls, state_folder: Path) -> Forwards:
        return cls(state_folder / "forwards", Names.of(state_folder))

    def apply(self, wanted: Iterable[Forward]) -> None:
        """Make the forwards be exactly these; nothing is done where they are already."""
        forwards = list(wanted)
        if not forwards:
            self.haproxy.stop()
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        configuration = render(forwards, self.haproxy.common())
        runs = self.haproxy.process is not None
        if runs and self.haproxy.configuration == configuration:
            return
        for forward in forwards:
            self.check(forward.loopback_port)
        self.folder.mkdir(parents=True, exist_ok=True)
        if runs:
            self.haproxy.reload(configuration)
        else:
            self.haproxy.start(configuration)
        self._record(forwards)

    def check(self, port: int) -> None:
        """Raise `MachineError` when a process that is not ours has the port."""
        if port not in self._running() and is_taken(port):
            raise MachineError(
                f"port {port} of {LOOPBACK} is taken by another process on this computer"
            )

    def _running(self) -> dict[int, Forward]:
        """The forwards there are, by their port on loopback."""
        if self.haproxy.process is None:
            return {}
        try:
            content = json.loads(self._targets.read_text())
        except OSError:
            return {}
        return {
            int(port): Forward(
                loopback_port=int(port), address=IPv4Address(address), port=int(target)
            )
            for port, (address, target) in content.items()
        }

    def _record(self, forwards: Iterable[Forward]) -> None:
        content = {
            str(forward.loopback_port): [str(forward.address), forward.port] for forward in forwards
        }
        write_atomically(self._targets, json.dumps(content, indent=2) + "\n")

    @property
    def _targets(self) -> Path:
        return self.folder / "forwards.json"


def is_taken(port: int) -> bool:
    """Whether somebody listens, seen without a connection that a forward would pass on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
