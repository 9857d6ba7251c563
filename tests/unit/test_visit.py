"""After an update the site is asked as visitors ask."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest

from cli.servers.visit import UnreachableError, Visit, places, problem_of
from tests.ports import free_port

GOOD = (200, "web")
SECONDS = 1.5


class Site(http.server.BaseHTTPRequestHandler):
    """Answers in turn, and with the last one from then on."""

    turns: ClassVar[list[tuple[int, str]]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host']}{self.path}")
        status, server = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        self.send_response(status)
        self.send_header("X-Slipway-Server", server)
        if status == 301:
            self.send_header("Location", "https://www.example.org/healthz")
        if status == 302:
            self.send_header("Location", "/login")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Site.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def visit(*, maintenance: bool = False, balanced: bool = False) -> Visit:
    return Visit(
        host="www.example.org",
        path="/healthz",
        status=200,
        maintenance=maintenance,
        balanced=balanced,
        open=True,
    )


def test_one_good_answer_is_enough_of_one_server(url: str) -> None:
    Site.turns = [GOOD]
    assert problem_of(url, visit(), ["web"], SECONDS) is None
    assert Site.asked == ["www.example.org/healthz"]


def test_a_moment_of_trouble_is_waited_for(url: str) -> None:
    Site.turns = [(503, ""), (502, ""), GOOD]
    assert problem_of(url, visit(), ["web"], SECONDS) is None


def test_what_is_answered_instead_is_said(url: str) -> None:
    Site.turns = [(302, "web")]
    said = problem_of(url, visit(), ["web"], SECONDS)
    assert said == "answers 302 (/login), not 200"


def test_whoever_comes_over_http_may_be_sent_to_https(url: str) -> None:
    Site.turns = [(301, "web")]
    assert problem_of(url, visit(), ["web"], SECONDS) is None


def test_through_a_load_balancer_every_server_has_to_answer_well(url: str) -> None:
    both = ["web", "web-2"]
    Site.turns = [GOOD, GOOD, (200, "web-2")]
    assert problem_of(url, visit(balanced=True), both, SECONDS) is None
    Site.turns = [GOOD]
    said = problem_of(url, visit(balanced=True), both, SECONDS)
    assert said == "is answered well, but not by web-2"
    # One that answers badly in between has not been well all the time.
    Site.turns = [GOOD, (503, ""), (200, "web-2"), (503, "")]
    assert problem_of(url, visit(balanced=True), both, SECONDS) == "answers 503, not 200"


def test_in_maintenance_the_page_is_what_visitors_are_to_get(url: str) -> None:
    Site.turns = [GOOD]
    said = problem_of(url, visit(maintenance=True, balanced=True), ["web"], SECONDS)
    assert said == "answers 200, not 503"
    Site.turns = [(503, "")]
    assert problem_of(url, visit(maintenance=True, balanced=True), ["web"], SECONDS) is None


def test_where_nobody_answers_that_is_another_matter() -> None:
    with pytest.raises(UnreachableError, match=r"gives no answer: .*refused"):
        problem_of(f"http://127.0.0.1:{free_port()}/", visit(), ["web"], 0.3)


def test_without_a_load_balancer_each_server_is_asked() -> None:
    servers = [{"address": "203.0.113.1"}, {"address": "203.0.113.2"}]
    known = {"entrance": "http://203.0.113.1:8081/", "web": servers}
    assert places(known, visit()) == ["http://203.0.113.1:8081/", "http://203.0.113.2:8081/"]
    assert places(known, visit(balanced=True)) == ["http://203.0.113.1:8081/"]
    assert places(known | {"web": servers[:1]}, visit()) == ["http://203.0.113.1:8081/"]
