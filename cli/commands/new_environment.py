"""Make a new environment."""

from __future__ import annotations

from argparse import Namespace

from cli.arguments import Arguments, Command, number, required
from cli.console import fail, say


def _arguments(parser: Arguments) -> None:
    text = "such as staging: it goes into the file's name, Pulumi.NAME.yaml"
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help=text)
    parser.value("--region", "R", "where the servers stand", required("a region"))
    parser.value("--web-count", "N", "how many web servers", number)
    parser.value("--web-size", "S", "size of a web server", required("a size"))
    parser.value("--db-size", "S", "size of the database server", required("a size"))
    parser.choice("--backups", "weekly backups")
    parser.choice("--protect", "refuse to destroy or replace the database server")
    parser.flag("--no-preview", "only write the file")


def _run(options: Namespace) -> int:
    name = options.name
    if not name:
        fail("the first word is the name of the environment, such as staging (see --help)")
    from cli.setup import set_up

    set_up()

    from cli.engine.process import require
    from cli.provider import new_environment

    new_environment.write(name, vars(options))
    if not options.no_preview:
        require(["scripts/preview", name])
    say(f"scripts/up {name} makes it")
    return 0


COMMAND = Command(
    description="""
        Make a new environment: asks little, checks it with the provider, says what it costs and
        shows what would be made.

        It writes Pulumi.NAME.yaml and needs DIGITALOCEAN_TOKEN. Nothing is ordered: scripts/up
        NAME does that. On a terminal it asks for what no flag says; elsewhere the defaults of
        Pulumi.yaml hold.
        """,
    arguments=_arguments,
    takes_stack=False,
    examples=["scripts/new-environment staging --region ams3 --web-count 2"],
    run=_run,
)
