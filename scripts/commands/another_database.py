"""Whether the databases of an environment are those that its release commands ran for.

Each has a mark of that (templates/mark_database.sh), which a dump takes along: one that is new or
was restored has another mark or none.

`look STACK` prints a line for each site with another one; `same STACK LINES` those of these lines
that are still true after an update. Both are called by scripts/up.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping

from scripts.commands import sites
from scripts.commands.engine import outputs
from scripts.commands.fleet import Fleet

OUTPUT = "database_mark"
COMMENT = "release command of Slipway: "
_ASK = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'slipway'"
#: In the order of the names a line for each; nothing where PostgreSQL does not answer.
LOOK = f"""
psql -qtAXd postgres -c 'SELECT 1' >/dev/null || exit 1
for each in "$@"; do
  echo "$each $(psql -qtAXd "$each" -c {shlex.quote(_ASK)} 2>/dev/null)"
done
"""


def marks(stack: str) -> dict[str, str]:
    """For each site whose release command has run when that was, by the last good update."""
    known = outputs(stack)
    found = {site.name: site.outputs(known).get(OUTPUT) for site in sites.all_of(stack)}
    return {name: mark for name, mark in found.items() if mark}


def others(wanted: Mapping[str, str], said: str) -> list[str]:
    """The sites whose database says something else than it should; pure.

    Args:
        wanted: `marks`.
        said: what the server answered.
    """
    found = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    return [
        name
        for name, mark in wanted.items()
        if name in found and found[name].strip() != f"{COMMENT}{mark}"
    ]


def look(stack: str) -> None:
    wanted = marks(stack)
    if not wanted:
        return
    command = shlex.join(["sudo", "runuser", "-u", "postgres", "--", "sh", "-c", LOOK, "sh"])
    command += f" {shlex.join(wanted)}"
    result = Fleet.of(stack).run_everywhere(command, servers=["db"])["db"]
    if result.status == 0:  # else the update, or whoever asks for the site, says what is wrong
        for name in others(wanted, result.output):
            print(name, wanted[name])  # noqa: T201 - the script that called reads it


def same(stack: str, lines: str) -> None:
    now = marks(stack)
    for name, mark in (line.split() for line in lines.splitlines()):
        if now.get(name) == mark:
            print(name)  # noqa: T201


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["look", of_stack]:
            look(of_stack)
        case ["same", of_stack, seen]:
            same(of_stack, seen)
