"""Print the releases of an environment, newest first, or who changed what on its servers."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from scripts.commands import audit, release_states, server_releases, sites
from scripts.commands.engine import fail, outputs, say
from scripts.commands.fleet import Fleet
from scripts.commands.release_states import State

ALLOWED = ("--json", "--audit", "--offline")
PRUNED_SHOWN = 5


def main(stack: str, *words: str) -> None:
    site, rest = sites.take(words, stack)
    for word in rest:
        if word not in ALLOWED:
            fail(f"unknown argument {word!r} (allowed: {', '.join(ALLOWED)}, --site, --help)")
    if "--audit" in words:
        audit.show(stack, as_json="--json" in words, console=console())
        return
    known = site.outputs(outputs(stack))
    alone = "--offline" in words or not known
    answers = {} if alone else server_releases.ask(Fleet.of(stack), site.name)
    states = release_states.of(known, answers)
    for name, answer in answers.items():
        if answer.problem:
            say(f"{name} {answer.problem}")
    if "--json" in words:
        print(json.dumps([asdict(state) for state in states], indent=2))  # noqa: T201
        return
    if not states:
        fail(f"{stack} has no releases yet: scripts/up {stack} makes the first")
    shown = [each for each in states if each.state != "pruned"]
    shown += [each for each in states if each.state == "pruned"][:PRUNED_SHOWN]
    console().print(_table(shown))
    notes = [note for each in shown for note in each.notes]
    if notes:
        print("\n" + "\n".join(notes))  # noqa: T201


def console() -> Console:
    """As wide as the terminal; where there is none, no line is broken."""
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 10_000)


def _table(states: list[State]) -> Table:
    headings = ("release", "state", "when (UTC)", "by", "took", "commit", "author", "message")
    table = Table(*headings, box=None)
    for column in table.columns[:6]:
        column.no_wrap = True
    for each in states:
        table.add_row(
            each.id,
            each.state,
            (each.released_at or "-").replace("T", " ").rstrip("Z"),
            each.released_by or "-",
            _duration(each.took),
            (each.commit or "-")[:10] + ("+" if each.dirty else ""),
            each.author or "-",
            each.message or "",
            style={"current": "bold", "bad": "red", "pruned": "dim"}.get(each.state),
        )
    return table


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    main(*sys.argv[1:])
