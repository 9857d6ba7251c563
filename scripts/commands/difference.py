"""Print in which settings two environments differ, and which release each serves."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.commands import environments
from scripts.commands.engine import fail, outputs

NOT_UP = "(not up)"


def main(one: str, other: str, *words: str) -> None:
    for name in (one, other):
        if name not in environments.names():
            fail(f"there is no environment {name!r}: must be one of {environments.names()}")
    found = differences(_all_of(one), _all_of(other))
    if words:
        print(json.dumps({key: {one: a, other: b} for key, (a, b) in found.items()}, indent=2))  # noqa: T201
    elif not found:
        print(f"{one} and {other} do not differ")  # noqa: T201
    else:
        table = Table("", one, other, box=None)
        for key, (a, b) in found.items():
            table.add_row(key, _shown(a), _shown(b))
        Console().print(table)


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By setting, both values where they are not the same; pure."""
    return {
        key: (one.get(key), other.get(key))
        for key in {**one, **other}
        if one.get(key) != other.get(key)
    }


def _all_of(name: str) -> dict[str, Any]:
    return environments.settings_of(name) | {"(release that serves)": _serving(name)}


def _serving(name: str) -> str:
    """The release that the last good update left; an environment need not be up, nor reachable."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            release = outputs(name).get("release")
    except SystemExit:
        return NOT_UP
    return str(release["id"]) if isinstance(release, dict) else NOT_UP


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
