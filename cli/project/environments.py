"""The environments of this project: what each file says, and what holds where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cli.console import fail
from cli.paths import ROOT
from components.settings import stack_file
from components.settings.stack_file import StackFile, StackFileError


def path_of(name: str) -> Path:
    """The file of an environment."""
    return ROOT / f"Pulumi.{name}.yaml"


def file_of(name: str) -> StackFile:
    """What an environment's file says. Raises `CommandError` where it cannot be read."""
    try:
        return stack_file.read(path_of(name), project())
    except (OSError, StackFileError) as error:
        fail(str(error))


def project() -> str:
    """The project's name, which is the namespace of its settings."""
    return str(_project()["name"])


def defaults() -> dict[str, Any]:
    """What Pulumi.yaml says of each setting that an environment is silent about."""
    declared = _project()["config"]
    return {name: each["default"] for name, each in declared.items() if "default" in each}


def settings_of(name: str) -> dict[str, Any]:
    """All settings of an environment by their name, each of its default's type.

    A secret is told as such, never by its value: that stays encrypted in the file.
    """
    known = defaults()
    said = {
        key.rpartition(":")[2]: value
        for key, value in file_of(name).config.items()
        if value is not None
    }
    return known | {key: _as_written(value, known.get(key)) for key, value in said.items()}


@cache
def _project() -> dict[str, Any]:
    try:
        found: dict[str, Any] = stack_file.load(ROOT / "Pulumi.yaml")
    except (OSError, StackFileError) as error:
        fail(str(error))
    return found


def _as_written(value: Any, default: Any) -> Any:
    """`pulumi config set` writes numbers and booleans as text."""
    if isinstance(value, dict) and "secure" in value:
        return "(a secret)"
    if not isinstance(value, str) or isinstance(default, str):
        return value
    parsed = stack_file.parse(value) if value else value
    return parsed if type(parsed) is type(default) else value


def free_network(taken: Mapping[str, str]) -> str:
    """A private network that no other environment has: they may meet in one account.

    Args:
        taken: the `vpcRange` of each environment.
    """
    from ipaddress import IPv4Network

    networks = [IPv4Network(each) for each in taken.values()]
    for number in range(20, 256):
        wanted = IPv4Network(f"10.{number}.0.0/24")
        if not any(wanted.overlaps(each) for each in networks):
            return str(wanted)
    raise ValueError("every network from 10.20.0.0/24 to 10.255.0.0/24 is in use")
