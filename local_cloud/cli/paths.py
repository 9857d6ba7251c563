"""Paths and ports of a cloud."""

from __future__ import annotations

import os
from pathlib import Path

from local_cloud.machine import MachineError

PROJECT = Path(__file__).resolve().parents[2]


def default_state_folder() -> Path:
    """The project's own cloud: in `$SLIPWAY_HOME`, or in `.slipway/` of the project."""
    home = os.environ.get("SLIPWAY_HOME")
    return (Path(home) if home else PROJECT / ".slipway") / "local-cloud"


def cache_folder() -> Path:
    """What all clouds of a user share: images, packages, wheels."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "slipway"


def port_of(state: Path) -> int:
    """Where the cloud of a state folder listens, or listened last.

    Raises:
        MachineError: it never did.
    """
    try:
        return int((state / "port").read_text())
    except (OSError, ValueError) as error:
        raise MachineError(not_running(state)) from error


def not_running(state: Path) -> str:
    """What a person is told, with the way to start it."""
    return f"the local cloud of {state} is not running; start it with `python -m local_cloud start`"
