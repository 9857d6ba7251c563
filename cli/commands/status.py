"""Show the state of an environment."""

from __future__ import annotations

import json
import time
from argparse import Namespace

from cli.arguments import Arguments, Command
from cli.console import fail

DEFAULT_SECONDS = 5


def _arguments(parser: Arguments) -> None:
    parser.flag("--json", "everything that was found, for programs")
    text = f"look again and again, by default every {DEFAULT_SECONDS} seconds (end with Ctrl-C)"
    parser.value("--watch", "[seconds]", text, _seconds, default=0)


def _seconds(option: str, word: str) -> int:
    if not word:
        return DEFAULT_SECONDS
    if not word.isdecimal() or int(word) == 0:
        fail(f"{option} is {word}: must be a number of seconds from 1 up")
    return int(word)


def _run(options: Namespace) -> int:
    from cli.setup import set_up

    set_up()

    from rich.console import Console

    from cli.servers.status_report import StatusReport
    from cli.servers.status_table import show, to_dict

    seconds = options.watch
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)  # a file or a program takes any line
    while True:
        report = StatusReport.of(options.stack)
        if seconds and not options.json and console.is_terminal:
            console.clear()
        if options.json:
            print(json.dumps(to_dict(report), indent=None if seconds else 2), flush=True)  # noqa: T201
        else:
            show(report, console, repairable=not seconds)
        if not seconds:
            return int(report.level)
        time.sleep(seconds)


COMMAND = Command(
    description="""
        Show the state of an environment: every server with what it serves, its health and load,
        and what is not as the last update left it (files, services, packages). Changes nothing;
        scripts/repair puts it right.
        """,
    arguments=_arguments,
    statuses="""0 all is well, 1 something is not as it was left or servers disagree,
        2 something is down or out of reach, 3 nothing could be looked at""",
    failure=3,
    examples=["scripts/status local", "scripts/status production --json"],
    run=_run,
)
