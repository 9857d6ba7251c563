"""Listeners and their connections, as /proc shows them."""

from __future__ import annotations

import os
from pathlib import Path


def is_listening(path: Path) -> bool:
    """Whether a process is listening on this UNIX socket."""
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def connections_to(path: Path) -> int | None:
    """The number of connections of the listener on this socket, including those not yet accepted.

    None if there is no listener. In /proc/net/unix each connection has the path of its listener:
    state 01 is the listener itself, 02 is waiting to be accepted, 03 is connected.
    """
    count = None
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:  # noqa: PTH123
        for line in table:
            columns = line.split(None, 7)
            if len(columns) == 8 and columns[7].rstrip("\n") == str(path):
                count = (count or 0) + (columns[5] in ("02", "03"))
    return count


def open_connections(port: int) -> int:
    """The number of established connections from other machines to a TCP port of this server."""
    found = 0
    loopback = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
    for name in ("tcp", "tcp6"):
        try:
            lines = Path("/proc/net", name).read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:  # no IPv6
            continue
        for line in lines:
            _, local, remote, state = line.split()[:4]
            here = int(local.rpartition(":")[2], 16) == port
            found += here and state == "01" and remote.rpartition(":")[0] not in loopback
    return found


def listening_processes(path: Path) -> set[int]:
    """The processes that hold the listening end of this socket: the app server and its workers."""
    import contextlib

    sockets = set()
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:  # noqa: PTH123
        for line in table:
            columns = line.split(None, 7)
            if len(columns) == 8 and columns[5] == "01" and columns[7].rstrip("\n") == str(path):
                sockets.add(f"socket:[{columns[6]}]")
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has exited meanwhile
            for opened in (process / "fd").iterdir():
                with contextlib.suppress(OSError):  # closed meanwhile
                    if os.readlink(opened) in sockets:  # noqa: PTH115
                        found.add(int(process.name))
    return found
