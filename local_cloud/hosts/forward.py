"""Ports of this computer's loopback that lead to a machine: one detached `socat` each."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

from local_cloud.hosts.names import Names
from local_cloud.hosts.process import Process, start_detached
from local_cloud.machine import Forward, MachineError

LOOPBACK = "127.0.0.1"
START_SECONDS = 3.0
CONNECT_SECONDS = 5


class Forwards:
    """The forwards of one cloud, recorded in a folder so that they are found after any crash."""

    def __init__(self, folder: Path, owner: str) -> None:
        self.folder = folder
        self.owner = owner

    @classmethod
    def of(cls, state_folder: Path) -> Forwards:
        return cls(state_folder / "forwards", Names.of(state_folder).tag)

    def apply(self, wanted: Iterable[Forward]) -> None:
        """Make the forwards be exactly these; one that already runs is not touched."""
        by_port = {forward.loopback_port: forward for forward in wanted}
        for port, forward in self._running().items():
            if by_port.get(port) != forward:
                self._stop(port)
        running = self._running()
        for port, forward in sorted(by_port.items()):
            if port not in running:
                self._start(forward)

    def check(self, port: int) -> None:
        """Raise `MachineError` when a process that is not ours has the port."""
        if port not in self._running() and _is_taken(port):
            raise MachineError(
                f"port {port} of {LOOPBACK} is taken by another process on this computer"
            )

    def _start(self, forward: Forward) -> None:
        port = forward.loopback_port
        self.check(port)
        self.folder.mkdir(parents=True, exist_ok=True)
        process = start_detached(
            [
                "socat",
                f"TCP-LISTEN:{port},bind={LOOPBACK},reuseaddr,fork,backlog=512",
                f"TCP:{forward.address}:{forward.port},connect-timeout={CONNECT_SECONDS},nodelay",
            ],
            owner=self.owner,
            output=Path(os.devnull),
            record=self._record(port),
        )
        self._target(port).write_text(
            json.dumps({"address": str(forward.address), "port": forward.port})
        )
        deadline = time.monotonic() + START_SECONDS
        while not _is_taken(port):
            if not process.is_alive or time.monotonic() > deadline:
                self._stop(port)
                raise MachineError(f"socat does not open port {port} of {LOOPBACK}")
            time.sleep(0.01)

    def _stop(self, port: int) -> None:
        process = Process.recorded(self._record(port))
        if process is not None:
            process.kill()
        self._record(port).unlink(missing_ok=True)
        self._target(port).unlink(missing_ok=True)

    def _running(self) -> dict[int, Forward]:
        found = {}
        for record in self.folder.glob("*.process"):
            port = int(record.stem)
            process = Process.recorded(record)
            if process is None or not process.is_alive:
                continue
            try:
                target = json.loads(self._target(port).read_text())
                address = IPv4Address(target["address"])
            except (OSError, ValueError):  # a crash between the start and its record
                process.kill()
                continue
            found[port] = Forward(loopback_port=port, address=address, port=int(target["port"]))
        return found

    def _record(self, port: int) -> Path:
        return self.folder / f"{port}.process"

    def _target(self, port: int) -> Path:
        return self.folder / f"{port}.json"


def _is_taken(port: int) -> bool:
    """Whether somebody listens, seen without a connection that a forward would pass on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
