"""The logs of several servers as one."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time

import pytest
from rich.console import Console

from cli.console import CommandError
from cli.servers import logs
from cli.servers.fleet import Fleet, Server
from cli.servers.logs import Line


def server(name: str) -> Server:
    return Server(name=name, hostname=name, address="192.0.2.1", host_key="")


FLEET = Fleet("local", {name: server(name) for name in ("web", "web-2", "db")}, "")


def test_a_line_is_its_time_and_what_comes_after_the_hosts_name() -> None:
    raw = "2026-11-20T20:26:16.123456+00:00 web gunicorn[12]: Booting worker\n"
    assert list(logs.lines_of("web-2", ["-- Boot 1 --", raw])) == [
        Line("2026-11-20T20:26:16.123456+00:00", "web-2", "gunicorn[12]: Booting worker")
    ]


def test_the_lines_of_a_traceback_stay_with_the_line_they_belong_to() -> None:
    raw = ["2026-11-20T20:26:16.1+00:00 web x[1]: Traceback", "    File x.py"]
    first, second = logs.lines_of("web", raw)
    assert (second.at, second.text) == (first.at, "    File x.py")


@pytest.mark.parametrize(
    ("tier", "names"),
    [
        (None, ["web", "web-2", "db"]),
        ("web", ["web", "web-2"]),
        ("db", ["db"]),
        ("web-2", ["web-2"]),
    ],
)
def test_a_tier_is_all_of_its_servers(tier: str | None, names: list[str]) -> None:
    assert [each.name for each in logs.chosen(FLEET, tier)] == names


def test_a_tier_that_is_not_there_is_named() -> None:
    with pytest.raises(
        CommandError, match="local has no server 'cache': must be one of db, web, web-2"
    ):
        logs.chosen(FLEET, "cache")


def says(*lines: tuple[float, str]) -> list[str]:
    """A command that prints a line with this time of day at that many seconds from now."""
    code = "import time\n" + "".join(
        f"time.sleep({wait}); print({text!r}, flush=True)\n" for wait, text in lines
    )
    return [sys.executable, "-c", code]


def at(second: int, text: str) -> str:
    return f"2026-11-20T20:00:{second:02}.000000+00:00 host {text}"


def test_the_last_lines_of_all_servers_are_in_the_order_of_time() -> None:
    commands = [says((0, at(1, "a")), (0, at(3, "c"))), says((0, at(2, "b")))]
    found = logs.last_of_all(["web", "db"], commands, 100)
    assert [(line.server, line.text) for line in found] == [
        ("web", "a"),
        ("db", "b"),
        ("web", "c"),
    ]


def test_lines_of_one_moment_stay_in_the_order_of_their_servers_journal() -> None:
    traceback = ["Traceback", "  File z.py", "  File a.py", "Error"]
    commands = [says(*((0, at(1, text)) for text in traceback)), says((0, at(1, "b")))]
    found = logs.last_of_all(["web", "db"], commands, 100)
    assert [line.text for line in found if line.server == "web"] == traceback


def test_lines_that_are_followed_come_in_the_order_of_time_though_one_server_is_slower() -> None:
    shown: list[str] = []

    class Shown(logs.Printer):
        def __call__(self, line: Line) -> None:
            shown.append(line.text)

    commands = [says((0, at(2, "second")), (0.6, at(9, "last"))), says((0.05, at(1, "first")))]
    started = time.monotonic()
    logs.follow_all(["web", "db"], commands, Shown(["web", "db"]))
    assert sorted(shown) == ["first", "last", "second"]
    assert shown[-1] == "last"
    assert time.monotonic() - started < 30


def test_ctrl_c_ends_it_quietly_however_often_it_comes() -> None:
    code = (
        "from cli.servers import logs\n"
        f"logs.follow_all(['web'], [{says((0, at(1, 'begun')), (60, at(2, 'never')))!r}],"
        " logs.Printer(['web']))\n"
    )
    following = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert following.stdout
    assert "begun" in following.stdout.readline()
    for _ in range(20):
        following.send_signal(signal.SIGINT)
        time.sleep(0.001)
    rest, _ = following.communicate(timeout=30)
    assert rest == ""


def test_each_line_begins_with_its_servers_name_and_is_never_cut() -> None:
    printer = logs.Printer(["web", "web-2"])
    printer._console = Console(file=io.StringIO(), width=40, soft_wrap=True)
    printer(Line("2026-11-20T20:00:01.123456+00:00", "web", "x" * 200))
    said = printer._console.file.getvalue()  # type: ignore[attr-defined]
    assert said == f"web   2026-11-20T20:00:01.123 {'x' * 200}\n"
