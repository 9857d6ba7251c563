"""A web server of an environment, for the tests of certctl: everything below one folder."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from components.core.bundle import program_text
from host.certctl import keeper
from host.certctl.chain import Chain, read_chain
from host.certctl.memory import Memory, recall
from host.certctl.settings import Settings, SiteSettings
from tests.unit.certctl_ca import ACME, NAMES, Ca, key_text, new_key

FAKES = Path(__file__).with_name("certctl_fakes")
PACKAGE = Path(keeper.__file__).parent


@dataclass
class WebServer:
    """`folder` is what /etc and /var are on a server."""

    folder: Path
    settings: Settings
    site: SiteSettings
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    ca: Ca = field(default_factory=Ca)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def chain(self, days: float = 90, *, age: float = 0.0, **more: Any) -> Chain:
        """One that can be served, `age` days old."""
        begins = datetime.fromtimestamp(self.now.timestamp() - age * 86400, UTC)
        return self.ca.chain(self.key, begins=begins, days=days, **more)

    def keep(self, *, force: bool = False, hurry: bool = False) -> Memory:
        with keeper.alone(self.settings):
            return keeper.keep(self.settings, self.site, force=force, hurry=hurry)

    @property
    def served(self) -> Chain:
        found = read_chain(self.site.chain)
        assert found, "there is no chain"
        return found

    @property
    def memory(self) -> Memory:
        return recall(self.settings, self.site)

    @property
    def called(self) -> list[str]:
        """What was run of nginx, systemd and the journal."""
        path = self.folder / "called"
        return path.read_text().splitlines() if path.exists() else []

    def changes(self, **changed: Any) -> None:
        self.settings = replace(self.settings, **changed)

    def says(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run certctl as it is on a server: one file, isolated."""
        program, configuration = self.folder / "certctl", self.folder / "certificates.json"
        program.write_text(program_text(PACKAGE))
        return subprocess.run(
            [sys.executable, "-I", program, "--configuration", configuration, *words],
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def new_web_server(folder: Path, **changed: Any) -> Iterator[WebServer]:
    """Without a chain yet, and with an nginx that does not run."""
    (folder / "tls" / "when-served").mkdir(parents=True)
    site = SiteSettings(app="shop", names=NAMES, folder=folder / "tls")
    settings = Settings(
        acme_server=ACME,
        email="",
        account_key=folder / "acme-account.pem",
        state=folder / "state",
        turn=0,
        peers=(),
        port=1,
        tls_port=1,
        sites=(site,),
    )
    server = WebServer(folder, replace(settings, **changed), site)
    site.key.write_text(key_text(server.key))
    settings.account_key.write_text(key_text(new_key()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{FAKES}:{os.environ['PATH']}")
        patch.setenv("FAKE", str(folder))
        patch.setattr(keeper, "NOTE", str(FAKES / "slipway-note"))
        yield server


@contextmanager
def running_nginx(server: WebServer) -> Iterator[None]:
    """What nginx is to certctl: a TLS server that shows what it read at the last reload."""
    read = server.folder / "read.pem"
    if server.site.chain.exists():
        read.write_text(server.site.chain.read_text())
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(read, server.site.key)
                    context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        server.changes(tls_port=listener.getsockname()[1])
        (server.folder / "nginx-runs").touch()
        yield
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@contextmanager
def http_server(
    answers: Mapping[str, tuple[int, str | bytes]] | None = None,
    *,
    thumbprint: str = "",
    address: str = "127.0.0.1",
    port: int = 0,
    length: int | None = None,
) -> Iterator[int]:
    """nginx of any server, over HTTP; yields its port.

    Args:
        answers: status and body, by path.
        thumbprint: what it adds to any token of an ACME challenge; empty for none.
        address: of this machine's loopback.
        port: where it listens; 0 for any that is free.
        length: what it says of the length of an answer, in bytes, if that is not true.
    """

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.path.removeprefix("/.well-known/acme-challenge/")
            status, text = (answers or {}).get(self.path, (404, "not here"))
            if thumbprint and token != self.path:
                status, text = 200, f"{token}.{thumbprint}"
            body = text.encode() if isinstance(text, str) else text
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((address, port), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
