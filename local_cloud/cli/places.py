"""Where a cloud keeps what."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def default_state_folder() -> Path:
    """The project's own cloud: in `$SLIPWAY_HOME`, or in `.slipway/` of the project."""
    home = os.environ.get("SLIPWAY_HOME")
    return (Path(home) if home else PROJECT / ".slipway") / "local-cloud"


def cache_folder() -> Path:
    """What all clouds of a user share: images, packages, wheels."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "slipway"
