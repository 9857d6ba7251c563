"""In which settings two environments differ, and which release each serves."""

from __future__ import annotations

from typing import Any

from cli.console import CommandError
from cli.engine.state import outputs
from cli.project import environments

NOT_UP = "(not up)"


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By setting, both values where they are not the same; pure."""
    return {
        key: (one.get(key), other.get(key))
        for key in {**one, **other}
        if one.get(key) != other.get(key)
    }


def all_of(name: str) -> dict[str, Any]:
    """All settings of an environment, and the release that it serves."""
    return environments.settings_of(name) | {"(release that serves)": _serving(name)}


def _serving(name: str) -> str:
    """The release that the last good update left; an environment need not be up, nor reachable."""
    try:
        release = outputs(name).get("release")
    except CommandError:
        return NOT_UP
    return str(release["id"]) if isinstance(release, dict) else NOT_UP


def shown(value: Any) -> str:
    """A value for a person."""
    if value is None or value == "":
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
