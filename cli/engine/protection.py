"""Take the engine's protection from what somebody has named to be destroyed, and give it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cli.engine.process import pulumi
from cli.engine.state import made


def protected(resources: Iterable[dict[str, Any]]) -> list[str]:
    """The URNs of what the engine refuses to destroy; pure."""
    return [each["urn"] for each in resources if each.get("protect")]


def names(stack: str) -> list[str]:
    """The servers that the engine refuses to destroy."""
    return [urn.split("::")[-1] for urn in protected(made(stack))]


def lift(stack: str) -> list[str]:
    """Take the protection away in the state; whose it was, by URN."""
    found = protected(made(stack))
    for urn in found:
        pulumi("state", "unprotect", urn, "--yes", "--stack", stack)
    return found


def give_back(stack: str, urns: Iterable[str]) -> None:
    """Protect these again."""
    for urn in urns:
        pulumi("state", "protect", urn, "--yes", "--stack", stack)
