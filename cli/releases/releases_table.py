"""The releases of an environment as a table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.releases.release_states import State

PRUNED_SHOWN = 5


def shown(states: Sequence[State]) -> list[State]:
    """Those that a person gets to see: all but old ones that are gone."""
    there = [each for each in states if each.state != "pruned"]
    return there + [each for each in states if each.state == "pruned"][:PRUNED_SHOWN]


def console() -> Console:
    """As wide as the terminal; where there is none, no line is broken."""
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 10_000)


def table(states: Sequence[State]) -> Table:
    headings = ("release", "state", "when (UTC)", "by", "took", "commit", "author", "message")
    made = Table(*headings, box=None)
    for column in made.columns[:6]:
        column.no_wrap = True
    for each in states:
        made.add_row(
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
    return made


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
