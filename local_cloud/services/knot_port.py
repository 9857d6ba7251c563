"""The port of the name server on loopback: for UDP and TCP, and the same after a restart."""

from __future__ import annotations

import fcntl
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from local_cloud.hosts.host_settings import LOOPBACK
from local_cloud.hosts.kernel import SHARED
from local_cloud.machine import MachineError

PORTS = range(7353, 7453)
"""The first free one of these, which the cloud then keeps."""

SECONDS_TO_CLOSE = 1.0
"""The kernel closes the sockets of a process a moment after that has ended."""

STEP_SECONDS = 0.01


@contextmanager
def only_this_cloud() -> Iterator[None]:
    """From the choice of a port until it is taken: Knot would share a port with another Knot."""
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (SHARED / "name-server-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_port(kept: int | None) -> int:
    """The port it had before, or else the first free one. Raises `MachineError` if none is."""
    if kept is not None and _becomes_free(kept):
        return kept
    for port in PORTS:
        if _is_free(port):
            return port
    raise MachineError(f"no free port for the name server between {PORTS[0]} and {PORTS[-1]}")


def _becomes_free(port: int) -> bool:
    deadline = time.monotonic() + SECONDS_TO_CLOSE
    while not _is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP_SECONDS)
    return True


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # Connections that have ended are in nobody's way.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True
