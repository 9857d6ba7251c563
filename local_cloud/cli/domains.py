"""Domains that the account is to have, for environments whose names lead to this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from local_cloud.cli.api import Api


def ensure(state: Path, names: Iterable[str]) -> None:
    """Add those that the account does not have yet. Raises `MachineError` where one is refused."""
    api = Api(state)
    there = {each["name"] for each in api.domains()}
    for name in sorted(set(names) - there):
        api.ask("POST", "/v2/domains", {"name": name})
