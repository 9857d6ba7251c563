"""The ACME server of the local cloud, pebble, on loopback, and a name server that leads to it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from local_cloud.authority import Authority
from local_cloud.cli.paths import cache_folder
from local_cloud.machine import MachineError
from local_cloud.services.go_program import built
from tests.local_cloud.hosts.one_answer import one_answer
from tests.ports import free_port

SECONDS_TO_START = 20.0


@dataclass
class Pebble:
    """`challenge_port` is where it asks what is at port 80 elsewhere."""

    folder: Path
    port: int
    management: int
    challenge_port: int
    name_server: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    def start(self, **environment: str) -> None:
        """Without any account or order: it has them in its memory."""
        self.stop()
        configuration = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.folder / "certificate.pem"),
            "privateKey": str(self.folder / "key.pem"),
            "httpPort": self.challenge_port,
            "tlsPort": free_port(),
            "profiles": {"classic": {"description": "", "validityPeriod": 90 * 86400}},
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": configuration}))
        program = built("acme", "pebble", cache_folder(), print)
        with (self.folder / "pebble.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "-config", self.folder / "pebble.json", "-dnsserver", self.name_server],
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", **environment},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "pebble.log").read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def set_renewal_info(self, chain: str, answer: str) -> None:
        """What it says of when to renew a certificate; anything, also what is no JSON."""
        asked = {"Certificate": chain, "ARIResponse": answer}
        connection = HTTPSConnection("127.0.0.1", self.management, context=self.trust())
        headers = {"User-Agent": "a test of Slipway"}
        connection.request("POST", "/set-renewal-info/", json.dumps(asked), headers)
        done = connection.getresponse()
        assert done.status == 200, done.read()
        connection.close()

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(Authority.of(self.folder).file))


@contextmanager
def new_pebble(folder: Path) -> Iterator[Pebble]:
    """Running, and trusted as a server's system trusts the CA that its settings name."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go to build the ACME server with")
    try:
        built("acme", "pebble", cache_folder(), print)
    except MachineError as error:
        pytest.skip(f"the ACME server cannot be built: {error}")
    folder.mkdir()
    authority = Authority.of(folder)
    issued = authority.issue(["127.0.0.1", "localhost"], 30)
    (folder / "key.pem").write_text(issued.private_key)
    (folder / "certificate.pem").write_text(issued.certificate)
    with one_answer(IPv4Address("127.0.0.1")) as name_server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority.file))
        pebble = Pebble(folder, free_port(), free_port(), free_port(), name_server)
        try:
            pebble.start()
            yield pebble
        finally:
            pebble.stop()


@dataclass
class Answer:
    """What a CA says at one of its paths instead of doing what it was asked."""

    path: str
    status: int
    detail: str = ""
    retry_after: str = ""
    body: str = ""
    """In place of an error document with the detail."""


@contextmanager
def instead(pebble: Pebble, answer: Answer) -> Iterator[str]:
    """In front of a CA: one of its paths answers something else; yields the directory's URL."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == answer.path:
                kind = "urn:ietf:params:acme:error:rateLimited"
                body = answer.body or json.dumps({"type": kind, "detail": answer.detail})
                kind = "application/json" if answer.body else "application/problem+json"
                headers = [("Content-Type", kind), ("Retry-After", answer.retry_after)]
                self._say(answer.status, headers, body.encode())
                return
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = HTTPSConnection("127.0.0.1", pebble.port, context=pebble.trust())
            connection.request(self.command, self.path, content, dict(self.headers.items()))
            theirs = connection.getresponse()
            kept = [each for each in theirs.getheaders() if each[0] != "Content-Length"]
            self._say(theirs.status, kept, theirs.read())
            connection.close()

        do_POST = do_HEAD = do_GET  # noqa: N815 - the library's names

        def _say(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pebble.folder / "certificate.pem", pebble.folder / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}/dir"
        server.shutdown()
        thread.join()
