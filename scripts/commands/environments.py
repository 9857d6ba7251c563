"""The environments of this project: what each file says, and what holds where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

import yaml

from scripts.commands.engine import ROOT, stack_settings


def names() -> list[str]:
    """Every environment there is a file of."""
    return sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


def defaults() -> dict[str, Any]:
    """What Pulumi.yaml says of each setting that an environment is silent about."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    return {name: each["default"] for name, each in declared.items() if "default" in each}


def settings_of(name: str) -> dict[str, Any]:
    """All settings of an environment by their name, each of its default's type.

    A secret is told as such, never by its value: that stays encrypted in the file.
    """
    known = defaults()
    said = {
        setting: _as_written(value, known.get(setting))
        for setting, value in stack_settings(name).items()
    }
    return known | said


def _as_written(value: Any, default: Any) -> Any:
    """`pulumi config set` writes numbers and booleans as text."""
    if isinstance(value, dict) and "secure" in value:
        return "(a secret)"
    if not isinstance(value, str) or isinstance(default, str):
        return value
    parsed = yaml.safe_load(value) if value else value
    return parsed if type(parsed) is type(default) else value


def free_network(taken: Mapping[str, str]) -> str:
    """A private network that no other environment has: they may meet in one account.

    Args:
        taken: the `vpcRange` of each environment.
    """
    networks = [IPv4Network(each) for each in taken.values()]
    for number in range(20, 256):
        wanted = IPv4Network(f"10.{number}.0.0/24")
        if not any(wanted.overlaps(each) for each in networks):
            return str(wanted)
    raise ValueError("every network from 10.20.0.0/24 to 10.255.0.0/24 is in use")
