"""Whoever is being served when something changes is served to the end, within drainSeconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.fleet.faults import switched_off
from tests.fleet.fleet import WebServers
from tests.fleet.update import Update
from tests.visitors import Visitors

pytestmark = pytest.mark.hosts

#: Pages that take their time, for these stories only.
SLOW_PAGES = '''

import base64, hashlib, time
from flask import request


@app.get("/slow/<int:seconds>")
def slow(seconds):
    time.sleep(seconds)
    return f"slept in {RELEASE}"


@app.get("/endless")
def endless():
    def lines():
        while True:
            yield f"{RELEASE}\\n"
            time.sleep(0.2)

    return Response(lines(), mimetype="text/plain", headers={"X-Accel-Buffering": "no"})


@app.get("/socket", websocket=True)
def web_socket():
    """An echo, by hand (RFC 6455): short text frames only."""
    connection = request.environ["gunicorn.socket"]
    key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accepted = base64.b64encode(hashlib.sha1(key.encode()).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
        b"Sec-WebSocket-Accept: " + accepted + b"\\r\\n\\r\\n"
    )
    while (frame := connection.recv(256)) and frame[0] == 0x81:
        length, mask = frame[1] & 127, frame[2:6]
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(frame[6 : 6 + length]))
        answer = f"{RELEASE} {text.decode()}".encode()
        connection.sendall(bytes([0x81, len(answer)]) + answer)
    return Response()
'''


@pytest.fixture(scope="module", autouse=True)
def slow_pages(fleet: WebServers) -> Iterator[None]:
    """The application has them from its next release on; afterwards it is as it was."""
    file = fleet.site.folder / "app" / "wsgi.py"
    text = file.read_text()
    file.write_text(text + SLOW_PAGES)
    fleet.up()
    yield
    file.write_text(text)
    fleet.up()


def address(fleet: WebServers, path: str = "", scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{fleet.site.place.web}{path}"


@contextmanager
def meanwhile(ask: Callable[[], str]) -> Iterator[list[str]]:
    """Somebody asks beside the test; the list holds what came of it after the `with` block."""
    answers: list[str] = []
    visitor = threading.Thread(target=lambda: answers.append(ask()))
    visitor.start()
    yield answers
    visitor.join(120)
    assert not visitor.is_alive(), "there was no end of it"


def test_a_request_of_ten_seconds_is_answered_by_the_release_it_began_with(
    fleet: WebServers,
) -> None:
    former = fleet.id_of_the_application()

    def ask() -> str:
        return httpx.get(address(fleet, "/slow/10"), timeout=60).text

    with fleet.setting(drainSeconds=20):
        fleet.up()
        fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-start updated")
            with meanwhile(ask) as answers:
                update.end()
    assert answers == [f"slept in {former}"]
    fleet.serve(fleet.id_of_the_application())


def test_what_never_ends_is_cut_off_and_keeps_no_release_waiting(fleet: WebServers) -> None:
    former = fleet.id_of_the_application()
    following = threading.Barrier(3)

    def read_on() -> str:
        try:
            with httpx.stream("GET", address(fleet, "/endless"), timeout=30) as answer:
                lines = answer.iter_lines()
                assert next(lines) == former
                following.wait(30)
                for line in lines:
                    assert line == former
        except httpx.RemoteProtocolError:
            return "cut off"
        return "ended"

    def talk_on() -> str:
        with connect(address(fleet, "/socket", "ws"), ping_interval=None) as socket:
            socket.send("hello")
            assert socket.recv(10) == f"{former} hello"
            following.wait(30)
            try:
                while True:
                    socket.send("still there")
                    assert socket.recv(10) == f"{former} still there"
                    threading.Event().wait(0.2)
            except ConnectionClosed:
                return "cut off"

    with meanwhile(read_on) as stream, meanwhile(talk_on) as conversation:
        following.wait(30)
        fleet.new_edition()
        fleet.up()
    assert (stream, conversation) == (["cut off"], ["cut off"])
    fleet.serve(fleet.id_of_the_application())
    for each in fleet.statuses().values():
        assert each["draining"] == []


def test_pages_of_the_former_release_find_their_static_files(fleet: WebServers) -> None:
    static = fleet.site.folder / "app" / "static"
    (static / "page-1111.css").write_text("of the former release")
    (static / "page.css").write_text("of the former release")
    fleet.up()
    (static / "page-1111.css").rename(static / "page-2222.css")
    (static / "page.css").write_text("of this release")
    fleet.up()
    try:
        for _ in fleet.names:  # whichever server answers
            for name, says in (
                ("page-1111.css", "of the former release"),
                ("page-2222.css", "of the former release"),
                ("page.css", "of this release"),
            ):
                answer = httpx.get(address(fleet, f"/static/{name}"))
                assert (answer.status_code, answer.text) == (200, says), name
                assert answer.headers["content-type"].startswith("text/css")
        for name in ("page-3333.css", "", "../wsgi.py", "%2e%2e/wsgi.py"):
            answer = httpx.get(address(fleet, f"/static/{name}"))
            assert answer.status_code in (400, 403, 404), name
    finally:
        (static / "page-2222.css").unlink()
        (static / "page.css").unlink()


def test_a_server_leaves_and_another_comes_under_slow_requests(fleet: WebServers) -> None:
    slow = address(fleet, "/slow/3")
    with Visitors(slow, pattern="slept in", patience=30) as visitors:
        with fleet.setting(webCount=3):
            said = fleet.up()
            assert "could not be drained" not in said
            assert len(fleet.site.output("web")) == 3
        fleet.up()
    assert len(fleet.site.output("web")) == 4
    assert visitors.failed == 0, str(visitors)


def test_a_dead_server_is_taken_away_once_it_is_named(fleet: WebServers) -> None:
    """Nobody can ask it what its shared/ holds, so somebody has to say that it may go."""
    with switched_off(fleet, "web-4"), fleet.setting(webCount=3):
        refused = fleet.site.run("scripts/up local", fails=True)
        assert "scripts/up local --destroy web-4" in refused.stderr
        said = fleet.up("--destroy web-4")
    assert "web-4: could not be drained" in said
    fleet.up()


def test_the_port_of_the_servers_changes_and_no_visitor_notices(fleet: WebServers) -> None:
    with fleet.visited():
        with fleet.setting(webPort=8081):
            fleet.up()
            fleet.up_changes_nothing()
        fleet.up()
