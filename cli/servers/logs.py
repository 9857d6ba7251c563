"""The logs of several servers as one, in the order of time, each line with its server's name."""

from __future__ import annotations

import enum
import heapq
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from cli.console import say
from cli.servers.fleet import Fleet, Server

#: The application (whatever runs it), what stands in front of it, the database.
UNITS = ("*@*.service", "nginx.service", "supervisor.service")
#: Lines of different servers arrive at different times: so long one waits for an earlier one.
SECONDS_TO_SORT = 0.3
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


@dataclass(frozen=True)
class Line:
    """One line of a journal, with its time (ISO 8601 with microseconds, UTC)."""

    at: str
    server: str
    text: str


class Told(enum.Enum):
    """What a listener hears beside lines."""

    NO_MORE = "one server has nothing more to say"
    TO_END = "somebody has had enough"


Arrived = queue.SimpleQueue[Line | Told]


def show(stack: str, tier: str | None, *, follow: bool, lines: int) -> None:
    """Print the last lines of these servers, and with `follow` the new ones until Ctrl-C."""
    fleet = Fleet.of(stack)
    servers = chosen(fleet, tier)
    printer = Printer([server.name for server in servers])
    with fleet.ssh_session() as session:
        commands = [session.ssh(each, journal(follow, lines)) for each in servers]
        names = [each.name for each in servers]
        if follow:
            follow_all(names, commands, printer)
        else:
            for line in last_of_all(names, commands, lines):
                printer(line)


def chosen(fleet: Fleet, tier: str | None) -> list[Server]:
    """All servers, those of a tier (web, db), or the one of that name."""
    servers = list(fleet.servers.values())
    if tier is None:
        return servers
    of_tier = [each for each in servers if each.name.partition("-")[0] == tier]
    return of_tier or [fleet.find(tier)]


def journal(follow: bool, lines: int) -> str:
    """The command on a server. UTC, so that the lines of all servers sort as text."""
    units = " ".join(f"--unit='{unit}'" for unit in UNITS)
    options = f"--no-pager --utc --output=short-iso-precise --lines={lines}"
    return f"sudo journalctl {options} {'--follow ' if follow else ''}{units}"


def parsed(server: str, raw: str, before: str) -> Line:
    """A line as journalctl prints it; one without a time belongs to the line before it."""
    at, _, text = raw.rstrip("\n").partition(" ")
    if at[:4].isdigit() and "T" in at:
        # The host's name is the server's, which stands before the line already.
        return Line(at, server, text.partition(" ")[2])
    return Line(before, server, raw.rstrip("\n"))


def last_of_all(names: list[str], commands: list[list[str]], lines: int) -> Iterator[Line]:
    """The last lines of each server, merged by time."""
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True) for each in commands]
    found: list[list[Line]] = []
    for name, process in zip(names, running, strict=True):
        output, _ = process.communicate()
        if process.returncode != 0:
            say(f"{name}: its logs cannot be read (see above)")
        found.append(list(lines_of(name, output.splitlines())))
    return iter(merged(found)[-lines * len(names) :])


def merged(servers: Iterable[list[Line]]) -> list[Line]:
    """By time, but each server's own lines in the order of its journal, like a traceback's."""
    return list(heapq.merge(*servers, key=lambda line: line.at))


def lines_of(name: str, raw: Iterable[str]) -> Iterator[Line]:
    before = ""
    for each in raw:
        if each.startswith("-- "):  # journalctl's own remarks
            continue
        line = parsed(name, each, before)
        before = line.at
        yield line


def follow_all(names: list[str], commands: list[list[str]], show: Printer) -> None:
    """Show lines as they come, sorted within a moment; until Ctrl-C, or every server has gone."""
    arrived: Arrived = queue.SimpleQueue()
    # Ctrl-C may come twice, from the terminal and from `scripts/dev`: no exception, but a word in
    # the queue, which is the only one of Python's that a signal handler may put something into.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: arrived.put(Told.TO_END))
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True) for each in commands]
    for name, process in zip(names, running, strict=True):
        threading.Thread(target=_listen, args=(name, process, arrived), daemon=True).start()
    try:
        _show_sorted(arrived, len(names), show)
    finally:
        for process in running:
            process.terminate()
            process.wait()


def _listen(name: str, process: subprocess.Popen[str], arrived: Arrived) -> None:
    assert process.stdout
    for line in lines_of(name, process.stdout):
        arrived.put(line)
    arrived.put(Told.NO_MORE)


def _show_sorted(arrived: Arrived, open_ends: int, show: Printer) -> None:
    waiting: list[Line] = []
    while open_ends > 0:
        deadline = time.monotonic() + SECONDS_TO_SORT
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = arrived.get(timeout=left if waiting else None)
            except queue.Empty:
                break
            if isinstance(line, Told):
                open_ends = 0 if line is Told.TO_END else open_ends - 1
                break
            waiting.append(line)
        by_server: dict[str, list[Line]] = {}
        for line in waiting:
            by_server.setdefault(line.server, []).append(line)
        for line in merged(by_server.values()):
            show(line)
        waiting.clear()


class Printer:
    """Writes lines with their server's name, in its colour on a terminal."""

    def __init__(self, names: list[str]) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._width = max(map(len, names), default=0)
        self._colour = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}

    def __call__(self, line: Line) -> None:
        head = Text(f"{line.server:{self._width}} ", style=self._colour[line.server])
        self._console.print(head + Text(f"{line.at[:23]} {line.text}"))
