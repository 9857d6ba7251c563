"""Asks a name server which version of a zone it serves, as any resolver would: over UDP."""

from __future__ import annotations

import secrets
import socket
import struct

SOA, IN = 6, 1
AUTHORITATIVE = 0x0400
POINTER = 0xC0
"""A name goes on elsewhere in the message (RFC 1035, 4.1.4)."""


def served_serial(address: str, port: int, zone: str, seconds: float = 0.5) -> int | None:
    """The serial in the SOA record of a zone; None where no answer of the zone itself comes.

    Args:
        seconds: how long to wait for the answer.
    """
    number = secrets.randbits(16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(seconds)
        asking.connect((address, port))
        try:
            asking.send(_question(number, zone))
            return _serial(asking.recv(4096), number)
        except (OSError, IndexError, struct.error):
            return None


def _question(number: int, zone: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in zone.split("."))
    return struct.pack(">6H", number, 0, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, SOA, IN)


def _serial(message: bytes, number: int) -> int | None:
    identity, flags, _, answers, _, _ = struct.unpack_from(">6H", message)
    if identity != number or not flags & AUTHORITATIVE or not answers:
        return None
    at = _after_name(message, 12) + 4
    at = _after_name(message, at) + 10
    at = _after_name(message, _after_name(message, at))
    (serial,) = struct.unpack_from(">I", message, at)
    return int(serial)


def _after_name(message: bytes, at: int) -> int:
    while length := message[at]:
        if length & POINTER == POINTER:
            return at + 2
        at += 1 + length
    return at + 1
