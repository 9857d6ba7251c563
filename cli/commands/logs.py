"""Show the logs of all servers as one."""

from __future__ import annotations

from argparse import Namespace

from cli.arguments import Arguments, Command, number


def _arguments(parser: Arguments) -> None:
    text = "web or db, or one server such as web-2 (default: all)"
    parser.add_argument("tier", nargs="?", metavar="[tier]", help=text)
    text = "go on as new lines come (end with Ctrl-C)"
    parser.add_argument("--follow", "-f", action="store_true", help=text)
    text = "how many of the last lines of each server (default: 100)"
    parser.value("--lines", "N", text, number, default=100)


def _run(options: Namespace) -> None:
    from cli.setup import set_up

    set_up()

    from cli.servers import logs

    logs.show(options.stack, options.tier, follow=options.follow, lines=options.lines)


COMMAND = Command(
    description="""
        Show the logs of all servers as one, in the order of time: the application, nginx,
        PostgreSQL.
        """,
    arguments=_arguments,
    examples=["scripts/logs local", "scripts/logs local web --follow"],
    run=_run,
)
