"""Serving: what a visitor sees is always a release that answered, and never an interruption."""

import http.server
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from tests.ports import free_port
from tests.unit.releasectl_host import FAKES, WSGI, Host, new_host, releasectl_module

SICK = ("500 Internal Server Error", "line one\nno table users")


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as made:
        yield made


def staged(host: Host, page: str, health: tuple[str, str] = ("200 OK", "fine")) -> str:
    release = host.upload(page, health)
    host.run("stage", release)
    return release


def staged_code(host: Host, code: str) -> str:
    release = host.upload(files={"wsgi.py": code})
    host.run("stage", release)
    return release


class Visitors:
    """Ask for the page again and again until told to stop; `pages` and `failures` are kept."""

    def __init__(self, host: Host, count: int = 4) -> None:
        self.host, self.stopped = host, threading.Event()
        self.pages: list[str] = []
        self.failures: list[object] = []
        self.threads = [threading.Thread(target=self.visit) for _ in range(count)]

    def visit(self) -> None:
        while not self.stopped.is_set():
            try:
                answer = self.host.get()
                self.pages.append(answer.text)
                if answer.status_code != 200:
                    self.failures.append(answer)
            except httpx.HTTPError as error:
                self.failures.append(error)

    def __enter__(self) -> "Visitors":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()


# Starting and switching


def test_the_first_release_serves_and_is_started_at_boot(host: Host) -> None:
    release = staged(host, "one")
    result = host.run("activate", release).result
    assert host.page == "one"
    assert result["changed"] is True
    assert result["previous"] is None
    assert host.running() == host.enabled() == [result["instance"]] == host.names("instances")
    assert (host.base / "current").resolve() == (host.base / "releases" / release).resolve()


def test_what_already_serves_is_left_alone_and_says_the_same_each_time(host: Host) -> None:
    release = host.release("one")
    lines, calls = host.history(), (host.root / "units" / "calls.log").read_text()
    first, second = (host.run("activate", release).result for _ in range(2))
    assert first == second
    assert (first["changed"], first["id"]) == (False, release)
    assert first["activated_at"] == lines[-1]["at"]
    assert host.history() == lines
    assert (host.root / "units" / "calls.log").read_text() == calls


def test_a_started_release_waits_beside_the_one_that_serves(host: Host) -> None:
    host.release("one")
    second = staged(host, "two")
    assert host.run("start", second).result["changed"] is True
    assert host.page == "one"
    assert len(host.running()) == 2
    assert host.run("start", second).result["changed"] is False
    host.run("switch", second)
    assert host.page == "two"
    assert [name[:12] for name in host.running()] == [second]
    assert host.enabled() == host.running()


def test_a_switch_starts_what_does_not_run(host: Host) -> None:
    host.release("one")
    second = staged(host, "two")
    host.run("switch", second)
    assert host.page == "two"


def test_a_release_that_was_started_but_never_switched_to_makes_way(host: Host) -> None:
    first = host.release("one")
    second, third = staged(host, "two"), staged(host, "three")
    host.run("start", second)
    host.run("start", third)
    assert [name[:12] for name in host.running()] == sorted([first, third])


def test_no_visitor_notices_a_switch(host: Host) -> None:
    releases = [host.release("one"), staged(host, "two"), staged(host, "three")]
    host.run("activate", releases[0])
    with Visitors(host) as visitors:
        for release in (releases[1], releases[2], releases[0], releases[2]):
            host.run("activate", release)
    assert visitors.failures == []
    assert {"one", "two", "three"} == set(visitors.pages)
    assert visitors.pages[-1] == "three"


# Warm-up, and what a load balancer sees

COUNTING = """
import os
from pathlib import Path

def app(environ, start_response):
    path = environ["PATH_INFO"]
    with Path(os.environ["ASKED"]).open("a") as asked:
        asked.write(path + "\\n")
    status = "500 Internal Server Error" if path == "/sick" else "404 Not Found"
    status = "200 OK" if path == "/healthz" else status
    start_response(status, [("Content-Length", "12")])
    return [b"line of body"]
"""


def counting(host: Host) -> str:
    """A staged release that notes what it is asked for."""
    host.environment(ASKED=str(host.root / "asked"))
    release = host.upload("two", files={"wsgi.py": COUNTING})
    host.run("stage", release)
    return release


def test_the_pages_that_are_to_be_warm_are_asked_for_before_the_switch(host: Host) -> None:
    host.release("one")
    host.settings(warm_up_paths=["/", "/products"], workers=2)
    second = counting(host)
    host.run("start", second)
    asked = (host.root / "asked").read_text().splitlines()
    assert asked[0] == "/healthz"
    assert sorted(asked[1:]) == 6 * ["/"] + 6 * ["/products"]
    host.run("switch", second)
    assert (host.root / "asked").read_text().splitlines().count("/products") == 6, "once is enough"


def test_a_page_that_fails_while_warming_up_stops_the_release(host: Host) -> None:
    host.release("one")
    host.settings(warm_up_paths=["/sick"])
    failed = host.fails("activate", counting(host))
    assert "warm-up: /sick answers 500:\n    line of body" in failed.told
    assert '"GET /sick HTTP/1.1" 500' in failed.told  # from the log of the unit
    assert host.page == "one"
    assert len(host.running()) == 1


def test_a_page_without_an_answer_while_warming_up_stops_the_release(host: Host) -> None:
    first = host.release("one")
    host.settings(warm_up_paths=["/slow9"], health_seconds=1)
    failed = host.fails("activate", staged(host, "two"))
    assert "warm-up: /slow9 gives no answer: timed out" in failed.told
    assert host.status()["current"] == first


class Balancer(http.server.BaseHTTPRequestHandler):
    """Hands out what servers say of their health, in turn."""

    turns: ClassVar[list[tuple[int, str]]] = []

    def do_GET(self) -> None:
        status, server = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        self.send_response(status)
        if server:
            self.send_header("X-Slipway-Server", server)
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b"line of body")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def behind_a_balancer(host: Host) -> Iterator[Host]:
    """A host that has switched once; its load balancer listens on a loopback address of its own."""
    host.release("one")
    address = f"127.99.{os.getpid() % 250}.{os.getpid() // 250 % 250 + 1}"
    server = http.server.ThreadingHTTPServer((address, 80), Balancer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (host.config / "balancer").write_text(f"{address} web\n")
    host.settings(balanced=True)
    yield host
    server.shutdown()
    server.server_close()


needs_port_80 = pytest.mark.skipif(os.geteuid() != 0, reason="only root may listen on port 80")


@needs_port_80
def test_a_switch_is_over_once_this_server_is_seen_well_through_the_balancer(
    behind_a_balancer: Host,
) -> None:
    Balancer.turns = [(503, ""), (500, "web-2"), (200, "web-2"), (200, "web")]
    second = staged(behind_a_balancer, "two")
    behind_a_balancer.run("activate", second)
    assert len(Balancer.turns) == 1, "it was not asked until this server had answered"
    assert behind_a_balancer.page == "two"


@needs_port_80
def test_a_server_that_the_balancer_does_not_find_well_goes_back(behind_a_balancer: Host) -> None:
    Balancer.turns = [(200, "web"), (503, "")]
    failed = behind_a_balancer.fails("activate", staged(behind_a_balancer, "two"))
    assert "through the load balancer at 127.99." in failed.told
    assert "/healthz answers 503, not 200:\n    line of body" in failed.told
    assert '"GET /healthz HTTP/1.1" 200' in failed.told  # from the log of the unit
    assert behind_a_balancer.page == "one"


@needs_port_80
def test_a_server_that_the_balancer_turns_away_after_a_moment_goes_back(
    behind_a_balancer: Host,
) -> None:
    Balancer.turns = [*[(200, "web")] * 3, (503, "")]
    two = staged(behind_a_balancer, "two")
    failed = behind_a_balancer.fails("switch", two, "--watch-behind-balancer", "4")
    assert "through the load balancer at 127.99." in failed.told
    assert "/healthz answers 503, not 200" in failed.told
    assert behind_a_balancer.page == "one"


@needs_port_80
def test_a_balancer_that_lets_nobody_in_says_nothing_about_a_release(
    behind_a_balancer: Host,
) -> None:
    """It may ask for a path that is no more: the update that puts that right must not stop here."""
    Balancer.turns = [(503, "")]
    done = behind_a_balancer.run("activate", staged(behind_a_balancer, "two"))
    assert "the load balancer has no server to send visitors to, as before the switch" in done.told
    assert behind_a_balancer.page == "two"


@needs_port_80
def test_a_new_balancer_is_asked_for_what_serves_already(behind_a_balancer: Host) -> None:
    Balancer.turns = [(503, ""), (200, "web")]
    behind_a_balancer.run("watch", "--seconds", "1")
    Balancer.turns = [(503, "")]
    failed = behind_a_balancer.fails("watch", "--seconds", "1")
    assert "through the load balancer at 127.99." in failed.told
    assert behind_a_balancer.page == "one"


def test_a_balancer_s_checks_go_on_under_the_name_that_what_serves_knows(host: Host) -> None:
    health_host = host.config / "health-host.conf"
    host.release("one")
    host.settings(health_host="shop.example.org")
    host.run("activate", staged(host, "two"))
    assert health_host.read_text() == '"" "shop.example.org";\n'

    host.settings(health_host="other.example.org")
    host.fails("activate", staged(host, "three", SICK))
    assert health_host.read_text() == '"" "shop.example.org";\n'


@needs_port_80
def test_where_there_is_no_balancer_any_more_nobody_asks_it(behind_a_balancer: Host) -> None:
    Balancer.turns = [(503, "")]
    behind_a_balancer.settings(balanced=False)
    behind_a_balancer.run("activate", staged(behind_a_balancer, "two"))
    assert behind_a_balancer.page == "two"


def test_two_servers_that_ask_in_step_do_not_see_only_each_other_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Each asker's pauses, laid side by side; a balancer answers in turn.
    module = releasectl_module()
    pauses: list[list[float]] = [[], []]
    for mine in pauses:
        monkeypatch.setattr(module.time, "sleep", mine.append)
        answers = iter([*[module.HealthProblem("not this server")] * 50, None])
        monkeypatch.setattr(module, "health_problem", lambda *_, told=answers: next(told))
        assert module.wait_for_health(None, "10.0.0.9", 60, lambda: False) is None
    asked = sorted(
        (sum(mine[:n]), asker) for asker, mine in enumerate(pauses) for n in range(len(mine))
    )
    for whose_turn in (0, 1):
        seen = {asker for turn, (_, asker) in enumerate(asked) if (turn + whose_turn) % 2 == asker}
        assert seen == {0, 1}


# A server that is to go


def test_a_server_is_idle_when_nobody_from_elsewhere_is_connected(host: Host) -> None:
    host.settings(web_port=free_port())
    assert "not over" not in host.run("drain-server").told


# What is under way when a release ends


@contextmanager
def visitor_at(host: Host, path: str) -> Iterator[list[str]]:
    """Somebody who asks for a slow page meanwhile; the list holds the answer afterwards."""
    answers: list[str] = []

    def ask() -> None:
        try:
            answers.append(host.get(path, timeout=20).text)
        except httpx.TransportError as error:
            answers.append(type(error).__name__)

    visitor = threading.Thread(target=ask)
    visitor.start()
    time.sleep(0.3)
    yield answers
    visitor.join()


def test_a_request_at_work_is_answered_and_the_switch_does_not_wait_for_it(host: Host) -> None:
    first = host.release("one")
    second = staged(host, "two")
    with visitor_at(host, "/slow4") as answers:
        host.run("activate", second)
        assert answers == [], "the switch waited"
        assert host.page == "two"
        assert [name[:12] for name in host.status()["draining"]] == [first]
    assert answers == ["one"]
    host.wait_for_drains()
    assert [name[:12] for name in host.running()] == [second]
    assert host.names("instances") == host.running()


def test_what_does_not_end_is_cut_off_when_its_time_is_over(host: Host) -> None:
    host.settings(drain_seconds=1)
    host.release("one")
    second = staged(host, "two")
    with visitor_at(host, "/slow15") as answers:
        host.run("activate", second)
    assert answers == ["RemoteProtocolError"]
    host.wait_for_drains()
    assert [name[:12] for name in host.running()] == [second]


def test_a_release_that_is_draining_serves_again_at_once_with_its_requests_kept(
    host: Host,
) -> None:
    first = host.release("one")
    second = staged(host, "two")
    with visitor_at(host, "/slow4") as answers:
        host.run("activate", second)
        host.run("activate", first)
        assert host.page == "one"
        assert answers == []
    assert answers == ["one"]
    host.wait_for_drains()
    assert [name[:12] for name in host.running()] == [first]
    assert [name[:12] for name in host.enabled()] == [first]


def test_a_switch_that_only_drains_is_done(host: Host) -> None:
    host.release("one")
    second = staged(host, "two")
    with visitor_at(host, "/slow3"):
        assert host.run("activate", second).result["changed"]
        assert not host.run("activate", second).result["changed"]


def test_a_drain_that_was_killed_is_made_up_for_by_the_next_release(host: Host) -> None:
    host.release("one")
    second, third = staged(host, "two"), staged(host, "three")
    with visitor_at(host, "/slow4"):
        host.run("activate", second)
        (drainer,) = (host.root / "run/systemd/transient").iterdir()
        os.killpg(int((host.root / "units" / f"{drainer.name}.pid").read_text()), 9)
        drainer.unlink()
        host.run("activate", third)
    host.wait_for_drains()
    assert [name[:12] for name in host.running()] == [third]


def test_what_serves_is_not_drained_by_hand(host: Host) -> None:
    host.release("one")
    assert (
        "serves: without it visitors would get no answer"
        in host.fails("drain-instance", *host.running()).told
    )
    assert host.page == "one"


# Static files


def test_static_files_are_looked_for_in_the_releases_before_and_after(host: Host) -> None:
    def leads_to(link: str) -> str | None:
        path = host.base / link
        return path.readlink().name if path.is_symlink() else None

    first = host.release("one")
    assert (leads_to("next"), leads_to("previous")) == (None, None)
    second = staged(host, "two")
    host.run("start", second)
    assert (leads_to("next"), leads_to("current")) == (second, first)
    host.run("switch", second)
    assert (leads_to("next"), leads_to("current"), leads_to("previous")) == (None, second, first)
    host.environment(GREETING=", hello")
    host.run("activate", second)
    assert leads_to("previous") == first, "another configuration is no other release"
    host.run("activate", first)
    assert (leads_to("current"), leads_to("previous")) == (first, second)
    third = staged(host, "three", SICK)
    host.settings(health_seconds=1)
    host.fails("start", third)
    assert (leads_to("next"), leads_to("previous")) == (None, second)


# Releases that fail


def test_a_sick_release_is_not_switched_to_and_its_reason_is_told(host: Host) -> None:
    host.settings(health_seconds=1)
    first = host.release("one")
    second = staged(host, "two", SICK)
    failed = host.fails("activate", second)
    assert "/healthz answers 500, not 200:\n    line one\n    no table users" in failed.told
    assert '"GET /healthz HTTP/1.1" 500' in failed.told  # from the log of the unit
    assert host.page == "one"
    assert host.states() == {first: "current", second: "bad"}
    assert [name[:12] for name in host.running()] == [first]
    assert host.history()[-1]["outcome"] == "failed"


ONE = """Traceback (most recent call last):
  File "/srv/site/venvs/1/lib/site-packages/server.py", line 9, in run
    load()
  File "/srv/site/instances/1-2/release/wsgi.py", line 3, in <module>
    raise ValueError("no")
ValueError: no"""
OF_THE_SERVER = """Traceback (most recent call last):
  File "/srv/site/instances/1-2/release/.venv/bin/server", line 12, in <module>
    sys.exit(run())
HaltServer: 3"""


def test_a_traceback_of_every_worker_is_shown_once() -> None:
    other = ONE.replace("no", "yes")
    shown = releasectl_module().readable("\n".join(["booting", ONE, "booting", ONE, other, ONE]))
    assert shown == "\n".join(
        ["booting", ONE, "booting", other, "(repeated tracebacks left out: 2)"]
    )


def test_a_traceback_that_began_before_the_log_did_is_left_out() -> None:
    cut_off = "\n".join(ONE.splitlines()[3:]).strip()
    assert releasectl_module().readable(f"{cut_off}\nending\n{ONE}\nended") == f"{ONE}\nended"


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (f"booting\n{ONE}\n{OF_THE_SERVER}\nended", "ValueError: no (wsgi.py, line 3)"),
        (OF_THE_SERVER, "HaltServer: 3"),
        ("ended", ""),
    ],
)
def test_the_error_in_the_application_s_own_code_is_the_cause(log: str, cause: str) -> None:
    assert releasectl_module().cause_in(log, Path("/srv/site")) == cause


def test_a_release_that_does_not_start_fails_at_once_with_its_traceback(host: Host) -> None:
    host.release("one")
    release = host.upload("two", files={"wsgi.py": "import nothing_of_that_name\n"})
    host.run("stage", release)
    began = time.monotonic()
    failed = host.fails("start", release)
    assert "the unit does not start" in failed.result["error"]
    assert "No module named 'nothing_of_that_name'" in failed.told
    assert host.page == "one"
    assert time.monotonic() - began < 4, "the health deadline of 5 s was waited for"


def test_a_release_that_hangs_is_given_up_at_the_deadline(host: Host) -> None:
    host.settings(health_seconds=1, drain_seconds=30)
    host.release("one")
    release = host.upload("two", files={"wsgi.py": "import time\ndef app(*_): time.sleep(20)\n"})
    host.run("stage", release)
    began = time.monotonic()
    assert "/healthz gives no answer: timed out" in host.fails("activate", release).told
    assert time.monotonic() - began < 10, "it waited for requests of nobody"
    assert host.page == "one"


# What crashes a moment after it was healthy.
CRASHES = "import threading\nthreading.Timer(2, os._exit, [3]).start()\n"
# Another process that takes connections, as an app server's worker does, and is replaced at once.
ITS_WORKER_CRASHES = """
import threading

def work():
    while True:
        if not os.fork():
            time.sleep(3)
            os._exit(3)
        os.wait()

threading.Timer(0.2, work).start()
"""


@pytest.mark.parametrize(
    ("how", "told"),
    # The first may be noticed by its unit or by its silence, whichever is looked at first.
    [(CRASHES, "start"), (ITS_WORKER_CRASHES, "1 of its processes ended by themselves")],
)
def test_a_release_that_crashes_soon_gets_no_visitors_where_it_has_to_be_steady(
    host: Host, how: str, told: str
) -> None:
    host.release("one")
    host.settings(min_ready_seconds=12)
    code = WSGI.format(page="two", health=("200 OK", "fine"))
    bad = host.upload("two", files={"wsgi.py": code + how})
    host.run("stage", bad)
    outcome = host.fails("start", bad)
    assert told in outcome.told
    assert "it was healthy before, and must stay so for 12 s" in outcome.told
    assert host.states()[bad] == "bad"
    assert host.page == "one"


def test_a_release_that_was_steady_need_not_show_it_again_for_the_switch(host: Host) -> None:
    host.release("one")
    second = staged(host, "two")
    host.settings(min_ready_seconds=1)
    began = time.monotonic()
    host.run("start", second)
    assert time.monotonic() - began >= 1
    host.settings(min_ready_seconds=3600)
    host.run("switch", second)
    assert host.page == "two"


def test_a_bad_release_is_not_switched_to_until_it_has_started_well(host: Host) -> None:
    host.settings(health_seconds=1)
    host.release("one")
    second = staged(host, "two", SICK)
    host.fails("start", second)
    assert "answers 500" in host.fails("switch", second).told, "asking again is another try"
    assert host.page == "one"
    assert host.states()[second] == "bad"


def test_a_release_that_was_bad_for_a_passing_reason_is_good_once_it_starts(host: Host) -> None:
    host.settings(health_seconds=1, health_status=204)
    second = staged(host, "two")
    host.fails("start", second)
    host.settings(health_seconds=1)
    host.run("start", second)
    assert host.states() == {second: "ready"}
    host.run("switch", second)
    assert host.page == "two"


def test_a_release_that_is_not_there_is_named(host: Host) -> None:
    for command in ("start", "switch", "activate", "release-command"):
        assert "release 000000000000 is not on this server" in host.fails(command, "0" * 12).told


def test_another_expected_status_is_a_setting(host: Host) -> None:
    host.settings(health_status=204)
    release = staged(host, "one", ("204 No Content", ""))
    host.run("activate", release)


class Proxy(http.server.BaseHTTPRequestHandler):
    """nginx, which cannot reach the application: for the last check of a switch."""

    def do_GET(self) -> None:
        self.send_error(502)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def broken_proxy() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield server.server_port
        server.shutdown()


def test_a_switch_that_visitors_would_notice_is_taken_back(host: Host, broken_proxy: int) -> None:
    first = host.release("one")
    second = staged(host, "two")
    host.settings(web_port=broken_proxy)
    failed = host.fails("activate", second)
    assert f"after the switch, through port {broken_proxy}: /healthz answers 502" in failed.told
    assert "(back to " in failed.told
    assert host.page == "one"
    assert (host.base / "current").readlink().name == first
    assert [name[:12] for name in host.running()] == [first] == [n[:12] for n in host.enabled()]
    assert host.states() == {first: "current", second: "bad"}


def test_a_first_release_that_fails_after_the_switch_leaves_nothing(
    host: Host, broken_proxy: int
) -> None:
    host.settings(web_port=broken_proxy)
    host.fails("activate", staged(host, "one"))
    assert host.running() == host.enabled() == host.names("instances") == []
    assert host.status()["current"] is None
    assert not (host.base / "current").is_symlink()


# The environment


def test_a_new_environment_is_rolled_out_like_a_new_release(host: Host) -> None:
    release = host.release("one")
    old = host.running()
    host.environment(GREETING=" and hello")
    with Visitors(host) as visitors:
        result = host.run("activate", release).result
    assert result["changed"] is True
    assert visitors.failures == []
    assert host.page == "one and hello"
    host.wait_for_drains()
    assert len(host.running()) == 1
    assert host.running() != old
    assert host.run("activate", release).result["changed"] is False


def test_a_bad_environment_does_not_make_the_release_bad(host: Host) -> None:
    release = host.release("one")
    old = host.running()
    wsgi = host.base / "releases" / release / "wsgi.py"
    text = wsgi.read_text()
    wsgi.write_text(text + "\nif os.environ['GREETING']: raise SystemExit('no such greeting')\n")
    host.environment(GREETING=" wrong")
    failed = host.fails("activate", release)
    assert "no such greeting" in failed.told
    assert host.running() == old
    assert host.states() == {release: "current"}
    assert host.page == "one"


def test_what_was_refused_is_no_part_of_what_serves(host: Host) -> None:
    release = host.release("one")
    serving = host.status()["instance"]
    folder = host.base / "instances" / serving
    proven = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert set(proven) == {"env", "gunicorn.conf.py", "app.service", "health.json"}
    wsgi = host.base / "releases" / release / "wsgi.py"
    text = wsgi.read_text() + "\nif os.environ['GREETING']: raise SystemExit('no such greeting')\n"
    wsgi.write_text(text)
    host.environment(GREETING=" wrong")
    host.fails("activate", release)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == proven
    assert host.status()["refused"] is True
    # Whoever starts it again gets what served; nothing is left of the other one.
    assert host.names("instances") == [serving]
    units = host.root / "etc/systemd/system"
    assert [path.name for path in units.glob("site@*")] == [f"site@{serving}.service"]
    host.stop_all()
    systemctl = [str(FAKES / "systemctl"), "start", f"site@{serving}.service"]
    subprocess.run(systemctl, env=host.env, check=True)
    assert host.page == "one"
    # The last good settings are what serves already.
    host.environment(GREETING="")
    assert host.status()["refused"] is False
    assert host.run("activate", release).result["changed"] is False


def test_how_it_is_asked_for_its_health_is_proven_before_anything_goes_by_it(host: Host) -> None:
    release = host.release("one")
    host.settings(health_seconds=1, health_status=204)
    failed = host.fails("activate", release)
    assert "/healthz answers 200, not 204" in failed.told
    assert "healthPath and healthStatus set the path to request" in failed.told
    # What serves is well by what it was proven with.
    assert host.status()["problem"] is None
    assert host.page == "one"
    host.settings()
    assert host.run("activate", release).result["changed"] is False


def test_an_answer_that_will_not_change_is_not_waited_for(host: Host) -> None:
    host.settings(health_seconds=60)
    began = time.monotonic()
    told = host.fails("activate", staged(host, "one", ("400 Bad Request", "who?"))).told
    assert time.monotonic() - began < 30
    assert "/healthz answers 400, not 200:\n    who?\n    (the Host header was 'localhost'" in told
    assert "ALLOWED_HOSTS" in told
    assert "(the same for 3 s)" in told


TO_HTTPS = """
def app(environ, start_response):
    secure = environ.get("HTTP_X_FORWARDED_PROTO") == {trusted!r}
    location = "https://" + environ["HTTP_HOST"] + environ["PATH_INFO"]
    status, headers = ("200 OK", []) if secure else ("301 Moved", [("Location", location)])
    start_response(status, headers)
    return [b""]
"""


def test_an_application_that_sends_everybody_to_https_is_asked_as_whoever_comes_so(
    host: Host,
) -> None:
    host.run("activate", staged_code(host, TO_HTTPS.format(trusted="https")))
    assert host.get().status_code == 301


def test_an_application_that_sends_even_https_to_https_is_not_released(host: Host) -> None:
    host.settings(health_seconds=20)
    failed = host.fails("start", staged_code(host, TO_HTTPS.format(trusted="never")))
    assert "/healthz answers 301 (https://localhost/healthz), not 200" in failed.told
    assert "SECURE_PROXY_SSL_HEADER" in failed.told


def test_a_release_is_bad_with_the_configuration_that_it_failed_with(host: Host) -> None:
    first, second = host.release("one"), host.release("two")
    host.settings(health_seconds=1, health_status=204)
    host.fails("activate", first)
    assert host.states() == {first: "bad", second: "current"}
    host.settings()
    assert host.states() == {first: "previous", second: "current"}
    host.run("stage", first, "--kept")
    host.run("activate", first)
    assert host.page == "one"


def test_what_somebody_took_away_of_an_instance_is_put_back(host: Host) -> None:
    release = host.release("one")
    instance = host.status()["instance"]
    shutil.rmtree(host.base / "instances" / instance)
    (host.root / f"etc/systemd/system/site@{instance}.service").unlink()
    assert host.run("activate", release).result["changed"] is True
    assert host.names("instances") == [instance] == host.enabled()
    assert (host.root / f"etc/systemd/system/site@{instance}.service").is_file()


def test_only_root_reads_the_environment_of_an_instance(host: Host) -> None:
    (host.config / "env").chmod(0o600)
    host.release("one")
    env = host.base / "instances" / host.status()["instance"] / "env"
    assert env.stat().st_mode & 0o777 == 0o600


def test_a_missing_environment_is_named(host: Host) -> None:
    release = staged(host, "one")
    (host.config / "env").unlink()
    assert "site/env: missing" in host.fails("activate", release).told


def test_a_serving_unit_that_died_is_started_again(host: Host) -> None:
    release = host.release("one")
    host.stop_all()
    time.sleep(0.1)
    assert host.run("activate", release).result["changed"] is True
    assert host.page == "one"


# Back, and away


def test_a_rollback_needs_no_archive_and_goes_to_the_previous(host: Host) -> None:
    first, second = host.release("one"), host.release("two")
    assert host.run("activate", second).result["previous"] == first
    result = host.run("activate", first).result
    assert host.page == "one"
    assert result["previous"] is None
    assert host.states() == {first: "current", second: "ready"}


def test_only_the_newest_releases_are_kept(host: Host) -> None:
    releases = [host.release(page) for page in ("one", "two", "three", "four", "five")]
    assert host.names("releases") == sorted(releases[-3:])
    assert len(host.names("venvs")) == 1


def test_the_current_and_the_previous_release_are_never_removed(host: Host) -> None:
    releases = [host.release(page) for page in ("one", "two", "three")]
    host.settings(keep_releases=1)
    host.run("activate", releases[1])
    assert host.states() == {
        releases[0]: "previous",
        releases[1]: "current",
        releases[2]: "ready",
    }, "keep=1 keeps the newest, beside the current and the previous one"
    assert host.run("prune").result["dropped"] == []


def test_failed_releases_do_not_push_out_good_ones(host: Host) -> None:
    host.settings(health_seconds=1)
    good = [host.release(page) for page in ("one", "two", "three")]
    bad = [staged(host, f"bad {number}", SICK) for number in range(3)]
    for release in bad:
        host.fails("start", release)
    assert host.run("prune").result["dropped"] == [], "bad ones can be looked into for now"
    time.sleep(1)  # times in the history are whole seconds
    fourth = host.release("four")
    assert host.names("releases") == sorted([*good[1:], fourth])


def test_unused_venvs_and_forgotten_uploads_go(host: Host) -> None:
    host.settings(keep_releases=1)
    for number in range(3):
        host.run("stage", release := host.upload(files={"requirements.txt": f"# {number}\n"}))
        host.run("activate", release)
    forgotten = host.upload("forgotten")
    os.utime(host.base / "incoming" / f"{forgotten}.tar.gz", (1, 1))
    young = host.upload("young")
    host.run("prune")
    assert len(host.names("venvs")) == 2
    assert host.names("incoming") == [f"{young}.tar.gz"]


def test_the_serving_release_cannot_be_dropped_but_another_can(host: Host) -> None:
    first, second = host.release("one"), host.release("two")
    assert f"release {second} serves" in host.fails("drop", second).told
    assert host.run("drop", first).result["changed"] is True
    assert host.run("drop", first).result["changed"] is False
    assert host.names("releases") == [second]
    assert host.page == "two"


def test_dropping_a_started_release_stops_it(host: Host) -> None:
    host.release("one")
    second = staged(host, "two")
    host.run("start", second)
    host.run("drop", second)
    assert len(host.running()) == 1
    assert host.names("instances") == host.running()


# What is shown


def test_the_status_says_what_serves(host: Host) -> None:
    first, second = host.release("one"), host.release("two")
    status = host.status()
    assert (status["current"], status["previous"]) == (second, first)
    assert status["unit"] == f"site@{status['instance']}.service"
    assert (status["unit_state"], status["problem"]) == ("active", None)


def test_the_status_says_that_the_application_is_down(host: Host) -> None:
    host.release("one")
    host.stop_all()
    time.sleep(0.1)
    status = host.status()
    assert status["unit_state"] == "inactive"
    assert "/healthz gives no answer" in status["problem"]


def test_the_status_says_that_nginx_does_not_lead_to_the_application(host: Host) -> None:
    host.release("one")
    assert host.status()["entry_problem"] is None
    host.settings(web_port=free_port())
    status = host.status()
    assert status["problem"] is None
    assert "/healthz gives no answer" in status["entry_problem"]


def test_a_switch_to_what_serves_has_it_started_at_boot_again(host: Host) -> None:
    """That is how scripts/repair puts it right."""
    release = host.release("one")
    (instance,) = host.enabled()
    wanted = host.root / "etc/systemd/system/multi-user.target.wants"
    (wanted / f"site@{instance}.service").unlink()
    assert host.run("switch", release).result["changed"]
    assert host.enabled() == [instance]
    assert not host.run("switch", release).result["changed"]


def test_a_torn_line_in_the_history_is_passed_over(host: Host) -> None:
    first = host.release("one")
    path = host.base / "history.jsonl"
    path.write_text(path.read_text() + '{"at": "2026-')
    second = host.release("two")
    assert host.states() == {second: "current", first: "previous"}


def test_configuration_files_of_old_go_once_nothing_runs_with_them(host: Host) -> None:
    def configure(number: int) -> None:
        path = host.config / f"config-{number}.cfg"
        path.write_text("")
        host.environment(APP_CONFIG=str(path))

    def configurations() -> list[str]:
        return sorted(path.name for path in host.config.glob("config-*"))

    configure(1)
    release = host.release("one")
    configure(2)
    host.run("prune")
    assert configurations() == ["config-1.cfg", "config-2.cfg"], "the first one is in use"
    host.run("activate", release)
    assert configurations() == ["config-2.cfg"]
