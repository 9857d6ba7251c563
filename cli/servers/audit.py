"""Who changed what on the servers of an environment, from the journals that they keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.console import fail, say
from cli.servers.fleet import Fleet

LINES = 2000
"""How far back each journal is read."""
SHOWN = 100
"""How many entries the table has, the last ones."""
# Where slipway-note and releasectl write; a server need not have both, nor any.
_READ = f"sudo sh -c 'tail -qn {LINES} /var/log/slipway/history.jsonl /srv/*/history.jsonl; true'"


def show(stack: str, *, as_json: bool, console: Console) -> None:
    journals = {}
    for server, result in Fleet.of(stack).run_on_all(f"{_READ} 2>/dev/null").items():
        if result.reached:
            journals[server] = result.output
        else:
            say(f"{server} cannot be reached: {result.errors}")
    entries = merged(journals)
    if as_json:
        print(json.dumps(entries, indent=2))  # noqa: T201
    elif entries:
        console.print(_table(entries[-SHOWN:]))
    else:
        fail(f"no server of {stack} has noted a change")


def merged(journals: Mapping[str, str]) -> list[dict[str, Any]]:
    """The entries of all servers' journals (lines of JSON), oldest first; pure."""
    entries = [
        {"server": server, **entry}
        for server, text in journals.items()
        for entry in map(_entry, text.splitlines())
        if entry is not None
    ]
    return sorted(entries, key=lambda entry: str(entry["at"]))


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None  # a power cut tore this line
    return entry if isinstance(entry, dict) and "at" in entry else None


def _table(entries: list[dict[str, Any]]) -> Table:
    table = Table("when (UTC)", "server", "who", "from", "what", "which", "outcome", box=None)
    for entry in entries:
        outcome = str(entry.get("outcome", ""))
        reason = str(entry.get("reason") or "").split("\n")[0]
        table.add_row(
            str(entry["at"]).replace("T", " ").rstrip("Z"),
            str(entry["server"]),
            str(entry.get("by") or "-"),
            str(entry.get("from") or "-"),
            str(entry.get("what") or ""),
            str(entry.get("release") or entry.get("detail") or ""),
            f"{outcome}: {reason}" if reason and outcome != "ok" else outcome,
            style=None if outcome == "ok" else "red",
        )
    return table
