"""A name server over TCP that knows one address for every name (RFC 1035)."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

A, IN = b"\x00\x01", b"\x00\x01"


@contextmanager
def one_answer(address: IPv4Address) -> Iterator[str]:
    """Where it listens, as `address:port`, until the end of the block."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.read(2):
                query = self.rfile.read(int.from_bytes(head, "big"))
                end = query.index(b"\0", 12) + 5
                question, kind = query[12:end], query[end - 4 : end - 2]
                records = b""
                if kind == A:
                    ttl, length = (60).to_bytes(4, "big"), b"\x00\x04"
                    records = b"\xc0\x0c" + A + IN + ttl + length + address.packed
                counts = b"\x00\x01" + (b"\x00\x01" if records else b"\x00\x00") + b"\x00" * 4
                answer = query[:2] + b"\x85\x80" + counts + question + records
                self.wfile.write(len(answer).to_bytes(2, "big") + answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
