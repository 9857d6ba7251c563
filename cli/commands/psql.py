"""Open psql on the database server of an environment."""

from __future__ import annotations

import argparse
import shlex

from cli.arguments import Arguments, Command


def _arguments(parser: Arguments) -> None:
    text = "what psql is given there"
    parser.add_argument("options", nargs=argparse.REMAINDER, metavar="[psql options…]", help=text)


def _run(options: argparse.Namespace) -> int:
    from cli.setup import set_up

    set_up()

    from cli.engine.process import run
    from cli.project.environments import settings_of
    from cli.servers.fleet import Fleet, terminal

    fleet = Fleet.of(options.stack)
    database = settings_of(options.stack)["appName"]
    # In its own home: psql would complain of the folder that ssh begins in.
    psql = f"sudo -iu postgres psql --dbname {database} {shlex.join(options.options)}"
    with fleet.ssh_session() as session:
        return run(session.ssh(fleet.find("db"), psql, options=terminal()))


COMMAND = Command(
    description="""
        Open psql on the database server of an environment, in the application's database.

        It runs there as PostgreSQL's own user: the application's password is not needed.
        """,
    arguments=_arguments,
    examples=['scripts/psql local -c "SELECT * FROM users"'],
    run=_run,
)
