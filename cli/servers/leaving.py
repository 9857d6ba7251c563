"""Web servers that an update takes away, and what the application has put into shared/ there.

Each server has a shared/ of its own, and a droplet's goes with it: files there are data, so nobody
loses them who has not named the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cli.console import fail, say
from cli.engine.state import by_name, exported, made
from cli.project import environments
from cli.servers.fleet import Fleet, Result

DROPLET = "digitalocean:index/droplet:Droplet"
#: For each application, on a line: how many files, how many bytes, and where.
LOOK = (
    "sudo sh -c 'for each in /srv/*/shared; do"
    ' find "$each" -type f -printf "%s\\n" | awk -v where="$each"'
    ' "{ files++; bytes += \\$1 } END { if (files) print files, bytes, where }"; done\''
)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What a folder shared/ holds."""

    files: int
    bytes: int
    where: str

    def __str__(self) -> str:
        return f"{self.files} files ({self.bytes / 1_000_000:.1f} MB) in {self.where}"


def leaving(resources: Iterable[dict[str, Any]], count: int) -> list[str]:
    """The web servers of a state that are more than so many; pure."""
    wanted = {"web", *(f"web-{number}" for number in range(2, count + 1))}
    there = [each["urn"].split("::")[-1] for each in resources if each["type"] == DROPLET]
    return [name for name in there if name.startswith("web") and name not in wanted]


def held(result: Result) -> list[Shared]:
    """What a server said to `LOOK`; pure."""
    rows = [line.split(" ", 2) for line in result.output.splitlines()]
    return [Shared(files=int(row[0]), bytes=int(row[1]), where=row[2]) for row in rows]


def check(stack: str, named: Sequence[str]) -> None:
    """End the command where servers leave with files that nobody has named to be lost."""
    count = environments.settings_of(stack)["webCount"]
    if not isinstance(count, int):
        return  # The program says what a count is.
    names = leaving(made(stack), count)
    if unknown := [name for name in named if name not in names]:
        fail(
            f"--destroy is {unknown[0]}: must be db, an id that scripts/status shows, or a server"
            f" that leaves by webCount ({', '.join(names) or 'none does'})"
        )
    asked = [name for name in names if name not in named]
    if not asked:
        return
    fleet = Fleet.in_state(stack, by_name(exported(stack)["resources"]))
    results = fleet.run_on_all(LOOK, servers=asked)
    for name in asked:
        result = results[name]
        if result.status != 0:
            _refuse(stack, name, f"nobody knows what its shared/ holds, for {result.errors}")
        if there := held(result):
            _refuse(stack, name, f"it holds {', '.join(map(str, there))}, which go with it")
        say(f"{stack}: {name} leaves; there are no files in its shared/")


def _refuse(stack: str, name: str, why: str) -> None:
    fail(
        f"webCount takes {name} away, and {why}. Nothing was changed. To lose them on purpose:"
        f" scripts/up {stack} --destroy {name}. To have a look: scripts/ssh {stack} {name}"
    )
