"""Print the releases of an environment, newest first."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from scripts.commands.engine import fail, outputs


def main(stack: str, *words: str) -> None:
    unknown = [word for word in words if word != "--json"]
    if unknown:
        fail(f"unknown argument {unknown[0]!r} (allowed: --json, --help)")
    known = outputs(stack)
    releases = [
        {**release, "state": _state(release["id"], known)} for release in known.get("releases", [])
    ]
    if words:
        print(json.dumps(releases, indent=2))  # noqa: T201
        return
    if not releases:
        fail(f"{stack} has no releases yet: scripts/up {stack} makes the first")
    Console().print(_table(releases))


def _state(release: str, known: dict[str, object]) -> str:
    current = known.get("release")
    if isinstance(current, dict) and release == current.get("id"):
        return "current"
    return "previous" if release == known.get("previous_release") else "kept"


def _table(releases: list[dict[str, object]]) -> Table:
    table = Table("release", "state", "first released", "commit", "message", box=None)
    for release in releases:
        commit = str(release.get("commit") or "")[:10] + ("+" if release.get("dirty") else "")
        state = str(release["state"])
        table.add_row(
            str(release["id"]),
            state,
            str(release["released_at"]),
            commit,
            str(release.get("message") or ""),
            style="bold" if state == "current" else None,
        )
    return table


if __name__ == "__main__":
    main(*sys.argv[1:])
