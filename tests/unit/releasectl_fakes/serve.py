"""What gunicorn is on a server: serves wsgi:app of the current folder on a UNIX socket.

SIGTERM is graceful: no new connections, those at work are finished. It never outlives its test by
more than a minute.
"""

import importlib
import os
import signal
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler

LIFETIME_SECONDS = 60


class Handler(WSGIRequestHandler):
    def address_string(self) -> str:
        return "unix"

    def handle(self) -> None:
        self.client_address = ("unix", 0)
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            handler = ServerHandler(
                self.rfile, cast("Any", self.wfile), sys.stderr, self.get_environ()
            )
            handler.request_handler = self  # type: ignore[attr-defined]
            handler.run(self.server.application)  # type: ignore[attr-defined]


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = False
    request_queue_size = 128
    server_name, server_port = "unix", 0
    base_environ: dict[str, Any] = {"SERVER_NAME": "unix", "SERVER_PORT": "0", "SCRIPT_NAME": ""}  # noqa: RUF012

    def get_app(self) -> Any:
        return self.application  # type: ignore[attr-defined]


def main() -> None:
    socket, env = sys.argv[1:]
    for line in Path(env).read_text().splitlines():
        key, _, value = line.partition("=")
        os.environ[key] = value
    sys.path.insert(0, "")
    application = importlib.import_module("wsgi").app

    timer = threading.Timer(LIFETIME_SECONDS, os._exit, [1])
    timer.daemon = True
    timer.start()
    with Server(socket, Handler) as server:
        server.application = application  # type: ignore[attr-defined]

        def stop(*_: object) -> None:
            threading.Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, stop)
        server.serve_forever(poll_interval=0.02)


if __name__ == "__main__":
    main()
