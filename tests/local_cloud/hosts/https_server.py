"""What the droplet of a story runs: files that are PUT there, and what it sees itself."""

import http.server
import os
import pathlib
import urllib.parse
import urllib.request

FOLDER = pathlib.Path("/srv/www")


class Answer(http.server.SimpleHTTPRequestHandler):
    def do_PUT(self) -> None:
        path = FOLDER / self.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        self._say(b"")

    def do_POST(self) -> None:
        """What an address says to this host, by its own names and authorities."""
        with urllib.request.urlopen(urllib.parse.unquote(self.path[1:])) as answer:
            self._say(answer.read())

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


FOLDER.mkdir()
os.chdir(FOLDER)
http.server.ThreadingHTTPServer(("", 80), Answer).serve_forever()
