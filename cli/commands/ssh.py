"""Open a shell on a server of an environment, or run one command there."""

from __future__ import annotations

import argparse

from cli.arguments import Arguments, Command


def _arguments(parser: Arguments) -> None:
    text = "web, db, web-2, … (default: web)"
    parser.add_argument("server", nargs="?", default="web", metavar="[server]", help=text)
    text = "what runs there instead of a shell"
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="[command…]", help=text)


def _run(options: argparse.Namespace) -> int:
    from cli.setup import set_up

    set_up()

    from cli.engine.process import run
    from cli.servers.fleet import Fleet, terminal

    fleet = Fleet.of(options.stack)
    server = fleet.find(options.server)
    # ssh itself gives a terminal to a shell only.
    with_terminal = terminal() if options.command else []
    with fleet.ssh_session() as session:
        return run(session.ssh(server, *options.command, options=with_terminal))


COMMAND = Command(
    description="""
        Open a shell on a server of an environment, or run one command there (as the user deploy,
        who has sudo).
        """,
    arguments=_arguments,
    examples=["scripts/ssh local db", "scripts/ssh local web systemctl --failed"],
    run=_run,
)
