"""Show the certificates of an environment, or renew them."""

from __future__ import annotations

import json
from argparse import Namespace

from cli.arguments import Arguments, Command
from cli.console import fail


def _arguments(parser: Arguments) -> None:
    text = "order new ones now, although those that are there still last"
    parser.add_argument("renew", nargs="?", metavar="[renew]", help=text)
    parser.site("one site alone (default: all)")
    parser.flag("--json", "everything that was found, for programs")


def _run(options: Namespace) -> int:
    if options.renew not in (None, "renew"):
        fail(f"unknown argument {options.renew!r} (see --help)")
    from cli.setup import set_up

    set_up()

    from rich.console import Console

    from cli.servers import certificates

    site = options.site or ""
    if options.renew:
        certificates.renew(options.stack, site)
    found = certificates.look(options.stack, site)
    if options.json:
        print(json.dumps(found, indent=2))  # noqa: T201
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=10_000)  # a file or a program takes any line
        console.print(certificates.table(found))
    return 0


COMMAND = Command(
    description="""
        Show the certificates of an environment's sites: for which names, who signed them, how long
        they last, when the servers renew them by themselves, and what came of the last time.

        A CA signs only so many of the same certificate (Let's Encrypt: 5 in a week). So renew is
        for when one has to be replaced, not for every day.
        """,
    arguments=_arguments,
    examples=["scripts/certificates local", "scripts/certificates production renew --site shop"],
    run=_run,
)
