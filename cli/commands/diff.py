"""Show in which settings two environments differ."""

from __future__ import annotations

import json
from argparse import Namespace

from cli.arguments import Arguments, Command, require_environment
from cli.console import fail


def _arguments(parser: Arguments) -> None:
    for name in ("one", "other"):
        parser.add_argument(name, nargs="?", metavar=name.upper(), help="an environment")
    parser.flag("--json", "for programs")


def _run(options: Namespace) -> None:
    one, other = options.one, options.other
    if not one or not other:
        fail("two environments are to be named, such as staging production (see --help)")
    for name in (one, other):
        require_environment(name)
    from cli.setup import set_up

    set_up()

    from rich.console import Console
    from rich.table import Table

    from cli.engine.differences import all_of, differences, shown

    found = differences(all_of(one), all_of(other))
    if options.json:
        print(json.dumps({key: {one: a, other: b} for key, (a, b) in found.items()}, indent=2))  # noqa: T201
    elif not found:
        print(f"{one} and {other} do not differ")  # noqa: T201
    else:
        table = Table("", one, other, box=None)
        for key, (a, b) in found.items():
            table.add_row(key, shown(a), shown(b))
        Console().print(table)


COMMAND = Command(
    description="""
        Show in which settings two environments differ, defaults included, and which release each
        serves.

        Asks no server and no provider. A secret is told as one, never by its value.
        """,
    arguments=_arguments,
    takes_stack=False,
    examples=["scripts/diff staging production"],
    run=_run,
)
