"""Whether the databases of an environment are those that its release commands ran for.

Each has a mark of that (templates/mark_database.sh), which a dump takes along: one that is new or
was restored has another mark or none.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from threading import Thread

from cli.console import CommandError
from cli.engine.state import outputs
from cli.project import sites
from cli.servers.fleet import Fleet

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


class Look(Thread):
    """Looks beside an update, so that nobody waits for it."""

    def __init__(self, stack: str) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._found: dict[str, str] = {}
        self.start()

    def run(self) -> None:
        # What is wrong is said by the update, or by whoever asks for the site.
        with suppress(CommandError, KeyError, OSError):
            wanted = marks(self._stack)
            if wanted:
                said = self._said(wanted)
                self._found = {name: wanted[name] for name in others(wanted, said)}

    def _said(self, names: Iterable[str]) -> str:
        command = shlex.join(["sudo", "runuser", "-u", "postgres", "--", "sh", "-c", LOOK, "sh"])
        command += f" {shlex.join(names)}"
        result = Fleet.of(self._stack).run_on_all(command, servers=["db"])["db"]
        return result.output if result.status == 0 else ""

    def still_others(self) -> list[str]:
        """The sites with another database that the update has not seen to, after it."""
        self.join()
        if not self._found:
            return []
        now = marks(self._stack)
        return [name for name, mark in self._found.items() if now.get(name) == mark]
