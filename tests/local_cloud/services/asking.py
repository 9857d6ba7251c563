"""A resolver's question, put by hand: the address of a name, over UDP or TCP."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

A, IN = 1, 1
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME, REFUSED = 0, 2, 3, 5
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    code: int
    addresses: tuple[str, ...]


def ask(
    name: str, port: int, *, tcp: bool = False, seconds: float = 4, server: str = LOOPBACK
) -> Answer:
    """Raises `OSError` when no answer comes."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as asking:
        asking.settimeout(seconds)
        asking.connect((server, port))
        message = question(name)
        asking.sendall(struct.pack(">H", len(message)) + message if tcp else message)
        answer = asking.recv(4096)
        if tcp:
            answer = answer[2:] or asking.recv(4096)
    return read(answer)


def question(name: str, number: int = 7) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    wish_for_recursion = 0x0100
    head = struct.pack(">6H", number, wish_for_recursion, 1, 0, 0, 0)
    return head + labels + struct.pack(">BHH", 0, A, IN)


def answer_to(message: bytes, address: str) -> bytes:
    """What a resolver says that knows an address for every name."""
    (number,) = struct.unpack_from(">H", message)
    end = message.index(b"\0", 12) + 5
    head = struct.pack(">6H", number, 0x8180, 1, 1, 0, 0)
    record = struct.pack(">HHHIH", 0xC00C, A, IN, 60, 4) + IPv4Address(address).packed
    return head + message[12:end] + record


def read(message: bytes) -> Answer:
    """The code and the addresses of an answer, past aliases."""
    _, flags, _, count, _, _ = struct.unpack_from(">6H", message)
    at = _after_name(message, 12) + 4
    addresses = []
    for _ in range(count):
        at = _after_name(message, at)
        kind, _, _, length = struct.unpack_from(">HHIH", message, at)
        at += 10
        if kind == A:
            addresses.append(str(IPv4Address(message[at : at + 4])))
        at += length
    return Answer(flags & 0xF, tuple(addresses))


def _after_name(message: bytes, at: int) -> int:
    while message[at] and message[at] < 0xC0:
        at += 1 + message[at]
    return at + (2 if message[at] else 1)
