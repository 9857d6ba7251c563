"""The visitors of the fault tests: what they count, for a count that cannot fail proves nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.visitors import Visitors

PAGE = b"<p>Ada Lovelace</p><code>0123456789ab</code>"


class Site(ThreadingHTTPServer):
    """Answers with what a test sets."""

    status = 200
    page = PAGE
    delay = 0.0
    connections = 0
    hangs_up = False
    hangs_up_on_kept = False
    ends_connections = False
    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.is_kept = False

    def do_GET(self) -> None:
        time.sleep(self.server.delay)
        if self.server.hangs_up or (self.server.hangs_up_on_kept and self.is_kept):
            self.close_connection = True
            return
        self.is_kept = True
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        # Without saying so: the answer does not have "Connection: close".
        self.close_connection = self.server.ends_connections
        self.wfile.write(self.server.page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def visitors_of(site: Site, patience: float = 5) -> Visitors:
    url = f"http://127.0.0.1:{site.server_port}/"
    return Visitors(url, connections=3, pause=0.01, patience=patience)


def test_good_answers_are_counted_with_what_they_said(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    with visitors_of(site) as visitors:
        time.sleep(0.3)
    assert len(visitors.good) > 6
    assert visitors.failed == 0
    assert 0 < visitors.worst < 5
    assert visitors.seen == {"0123456789ab": len(visitors.good)}
    assert site.connections == 3, "connections are kept"
    assert f"visitors: {len(visitors.good)} requests, 0 failed" in capsys.readouterr().err


def test_a_connection_that_was_ended_between_two_requests_is_no_failure(site: Site) -> None:
    site.ends_connections = True
    with visitors_of(site) as visitors:
        time.sleep(0.3)
    assert visitors.failed == 0
    assert site.connections >= len(visitors.answers) > 6


def test_a_connection_that_ends_in_the_moment_of_a_request_is_told_and_asked_again_once(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.hangs_up_on_kept = True
    with visitors_of(site) as visitors:
        time.sleep(0.3)
    assert visitors.failed == 0
    assert 0 < visitors.asked_again < len(visitors.answers)
    said = capsys.readouterr().err
    assert f"; {visitors.asked_again} asked again over a new connection" in said


def test_a_new_connection_that_ends_without_an_answer_is_a_failure(site: Site) -> None:
    site.hangs_up = True
    with visitors_of(site) as visitors:
        time.sleep(0.1)
    assert visitors.failed == len(visitors.answers) > 0
    assert visitors.asked_again == 0


def test_each_kind_of_failure_counts_and_is_told(site: Site) -> None:
    with visitors_of(site) as visitors:
        time.sleep(0.1)
        site.status = 503
        time.sleep(0.1)
        site.status, site.page = 200, b"somebody else's page"
        time.sleep(0.1)
        site.hangs_up = True
        time.sleep(0.1)
    reasons = {answer.said for answer in visitors.answers if not answer.good}
    assert "another page" in reasons
    assert any(reason.startswith("status 503: ") for reason in reasons)
    assert any("RemoteDisconnected" in reason for reason in reasons)
    assert visitors.failed == len(visitors.answers) - len(visitors.good)


def test_a_site_that_is_not_there_fails_and_does_not_hold_them_up() -> None:
    with Visitors("http://127.0.0.1:9/", connections=1, pause=0.01) as visitors:
        pass
    assert visitors.failed == len(visitors.answers) > 0


def test_a_request_that_hangs_at_the_end_is_a_failure(site: Site) -> None:
    with visitors_of(site, patience=0.5) as visitors:
        site.delay = 3
        time.sleep(0.1)
    assert visitors.failed == 3


def test_they_end_with_the_process_that_sent_them(site: Site) -> None:
    visitors = visitors_of(site).__enter__()
    process = visitors._process
    assert process.stdin is not None
    process.stdin.close()  # as the kernel does when that process is killed
    assert process.wait(timeout=10) == 0
