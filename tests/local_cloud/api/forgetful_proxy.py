"""A gateway before an API that passes an order on, and has no patience for its answer."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TIME_OUT = b'{"id": "timeout", "message": "The gateway timed out."}'


class ForgetfulProxy(ThreadingHTTPServer):
    """Passes everything on; of the orders in `forgets`, the answer is a 504 so many times."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(behind).netloc
        self.forgets: dict[tuple[str, str], int] = {}
        """By method and path, how many answers are still to be forgotten."""
        self.orders: list[tuple[str, str]] = []
        """Everything but GET, in its order."""
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ForgetfulProxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = (self.command, urlsplit(self.path).path)
        connection = http.client.HTTPConnection(self.server.behind, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        finally:
            connection.close()
        with self.server.lock:
            if self.command != "GET":
                self.server.orders.append(what)
            if self.server.forgets.get(what):
                self.server.forgets[what] -= 1
                assert status < 300, f"{what} was not carried out: {status} {content!r}"
                status, content = 504, TIME_OUT
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the test looks at `orders`."""


@contextmanager
def forgetful(behind: str) -> Iterator[ForgetfulProxy]:
    """A proxy before the API at that address, until the end of the block."""
    proxy = ForgetfulProxy(behind)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
