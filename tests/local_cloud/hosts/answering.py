"""What the droplets behind a load balancer run in these tests: a server that says who it is."""

import http.server
import json
import os
import socket
import time


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(3)
        ill = self.path == "/healthz" and os.path.exists("/tmp/ill")  # noqa: PTH110
        told = {
            "host": socket.gethostname(),
            "peer": self.client_address[0],
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "forwarded_for": self.headers.get_all("X-Forwarded-For"),
        }
        body = json.dumps(told).encode()
        self.send_response(503 if ill else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


Server(("", 80), Answer).serve_forever()
