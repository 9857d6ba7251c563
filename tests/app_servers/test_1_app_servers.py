"""Every app server under every supervisor, one after the other on the same living environment."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.changes import changed, failing_up, setting
from tests.clone import Clone
from tests.typed import typed, types
from tests.visitors import Visitors

pytestmark = pytest.mark.hosts

SECONDS_TO_COME_BACK = 60


@dataclass(frozen=True)
class Pair:
    """An app server under a supervisor; the environment runs it while a test has it."""

    app_server: str
    supervisor: str
    on_the_way: Visitors
    """Who visited while the environment changed to it."""


@pytest.fixture(
    scope="module",
    ids=" under ".join,
    params=[
        ("uwsgi", "systemd"),
        ("uwsgi", "supervisor"),
        ("mod_wsgi", "supervisor"),
        ("mod_wsgi", "systemd"),
        ("gunicorn", "supervisor"),
        ("gunicorn", "systemd"),  # the default: all is as it was for the tests that follow
    ],
)
def pair(site: Clone, request: pytest.FixtureRequest) -> Iterator[Pair]:
    app_server, supervisor = request.param
    document = site.folder / "Pulumi.local.yaml"
    text = document.read_text()
    chosen = f"  slipway:appServer: {app_server}\n  slipway:supervisor: {supervisor}\n"
    document.write_text(text.replace("config:\n", f"config:\n{chosen}", 1))
    try:
        with visiting(site) as visitors:
            site.run("scripts/up local")
        yield Pair(app_server, supervisor, visitors)
    finally:
        document.write_text(text)


def visiting(site: Clone) -> Visitors:
    return Visitors(f"http://127.0.0.1:{site.place.web}/")


def test_changing_to_it_loses_no_request(site: Clone, pair: Pair) -> None:
    assert pair.on_the_way.good
    assert pair.on_the_way.failed == 0, pair.on_the_way


def test_it_serves_the_page_of_the_two_users(site: Clone, pair: Pair) -> None:
    page = site.get().text
    assert "Ada Lovelace" in page
    assert "Grace Hopper" in page
    word = {"gunicorn": "/gunicorn", "uwsgi": "uWSGI", "mod_wsgi": "apache2"}[pair.app_server]
    assert any(word in each.command for each in Instance.of(site, pair).processes)


@types("scripts/ssh local web sudo supervisorctl status")
def test_its_supervisor_says_that_it_runs(site: Clone, pair: Pair, command: str) -> None:
    if pair.supervisor == "supervisor":
        said = typed(site, command).stdout
        assert re.search(r"^site@\S+ +RUNNING", said, re.MULTILINE), said
    else:
        units = site.on("web", "systemctl is-active 'site@*'").split()
        assert units == ["active"], site.on("web", "systemctl status --no-pager 'site@*' || :")


def test_what_it_says_is_in_the_journal(site: Clone, pair: Pair) -> None:
    said = site.run("scripts/logs local web --lines 2000").stdout
    instance = site.on("web", "basename $(readlink /srv/site/current.sock) .sock").strip()
    assert f"site@{instance}" in said
    word = {"gunicorn": "Booting worker", "uwsgi": "spawned uWSGI worker", "mod_wsgi": "mod_wsgi/"}
    assert word[pair.app_server] in said


def test_a_release_and_a_rollback_lose_no_request(site: Clone, pair: Pair) -> None:
    first = site.output("release")["id"]
    title = ", whoever serves it</h1>"
    with changed(site, "app/templates/users.html", "</h1>", title), visiting(site) as visitors:
        site.run("scripts/up local")
        assert title in site.get().text
        second = site.output("release")["id"]
        site.run(f"scripts/rollback local {first}")
    assert title not in site.get().text
    assert visitors.failed == 0, visitors
    assert set(visitors.seen) == {first, second}


def test_a_release_that_cannot_be_imported_never_takes_traffic(site: Clone, pair: Pair) -> None:
    serving = site.output("release")["id"]
    broken = "app = Flask(__name__ + no_such)"
    with changed(site, "app/wsgi.py", "app = Flask(__name__)", broken), visiting(site) as visitors:
        said = failing_up(site)
    assert "NameError: name 'no_such' is not defined" in said, "the application's own last lines"
    if (pair.app_server, pair.supervisor) != ("gunicorn", "systemd"):
        assert "wsgi:app cannot be imported" in said
    assert visitors.failed == 0, visitors
    assert set(visitors.seen) == {serving}


def test_whatever_is_killed_comes_back(site: Clone, pair: Pair) -> None:
    """One process of each kind: workers, what is above them, and supervisord itself."""
    before = Instance.of(site, pair)
    assert len(before.kinds) > 1
    for kind in before.kinds:
        instance = Instance.of(site, pair)
        kill(site, pair, instance.one(kind), back_to=before)
    if pair.supervisor == "supervisor":
        supervisord = site.on("web", "systemctl show --property=MainPID --value supervisor")
        kill(site, pair, supervisord.strip(), back_to=before)


def test_what_was_refused_never_comes_alive(site: Clone, pair: Pair) -> None:
    """Whatever starts the serving instance again, it starts with what it was proven with."""
    before = Instance.of(site, pair)
    with setting(site, "--path appEnv.PYTHONHOME", "/nowhere"):
        failing_up(site)
        kill(site, pair, before.main, back_to=before)
        site.reboot("web")
        wait_until_back(site, pair, before)
        site.on("web", "sudo nginx -t -q")
        names = site.on("web", "ls /srv/site/instances; ls -d /etc/systemd/system/site@* || :")
        assert len(set(re.findall(r"[0-9a-f]{12}-[0-9a-f]{8}", names))) == 1, names
    site.run("scripts/up local")
    assert site.get().status_code == 200


@dataclass(frozen=True)
class Process:
    pid: str
    parent: str
    command: str


@dataclass(frozen=True)
class Instance:
    """What runs on the server: the main process, and all processes of the application's user."""

    main: str
    processes: list[Process]

    @classmethod
    def of(cls, site: Clone, pair: Pair) -> Instance:
        name = "site@$(basename $(readlink /srv/site/current.sock) .sock)"
        main = {
            "systemd": f"systemctl show --property=MainPID --value {name}.service",
            "supervisor": f"sudo supervisorctl pid {name}",
        }[pair.supervisor]
        first, *lines = site.on("web", f"{main}; ps -u site -o pid=,ppid=,args=").splitlines()
        return cls(first.strip(), [Process(*line.split(None, 2)) for line in lines])

    def kind(self, process: Process) -> str:
        """Such as `main/apache2/(wsgi:site)`: what it is and under what it runs."""
        if process.pid == self.main:
            return "main"
        above = [each for each in self.processes if each.pid == process.parent]
        name = process.command.split()[0].rpartition("/")[2]
        return f"{self.kind(above[0])}/{name}" if above else f"orphan {process.command}"

    @property
    def kinds(self) -> list[str]:
        """Those that are deepest come first."""
        return sorted(
            {self.kind(each) for each in self.processes}, key=lambda kind: -kind.count("/")
        )

    def one(self, kind: str) -> str:
        return next(each.pid for each in self.processes if self.kind(each) == kind)


def kill(site: Clone, pair: Pair, pid: str, *, back_to: Instance) -> None:
    """Until it is all there again, without it and without an orphan."""
    site.on("web", f"sudo kill -KILL {pid}")
    wait_until_back(site, pair, back_to, without=pid)


def wait_until_back(site: Clone, pair: Pair, before: Instance, without: str = "") -> None:
    """A process is seen under its own name only some time after its page is served."""
    deadline = time.monotonic() + SECONDS_TO_COME_BACK
    while True:
        problem = _not_back(site, pair, without, before)
        if problem is None:
            return
        assert time.monotonic() < deadline, problem
        time.sleep(0.5)


def _not_back(site: Clone, pair: Pair, killed: str, before: Instance) -> str | None:
    try:
        instance = Instance.of(site, pair)
        page = site.get()
    except (AssertionError, httpx.HTTPError) as error:  # supervisorctl fails without supervisord
        return str(error)
    if page.status_code != 200:
        return f"the page answers {page.status_code}"
    if any(each.pid == killed for each in instance.processes):
        return f"{killed} runs on"
    if instance.kinds != before.kinds:
        return f"{instance.kinds} run, not {before.kinds}"
    return None
