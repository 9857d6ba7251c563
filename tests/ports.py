"""Ports of this machine for tests."""

from __future__ import annotations

import contextlib
import random
import socket


def free_port() -> int:
    """A port on loopback that nobody listens on.

    Below those that outgoing connections are given (ip(7)): who dials a port of these again and
    again may be given it, and then talks to itself.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")
