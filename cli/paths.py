"""Where this clone is on this machine, and where it keeps its state."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"


def environments() -> list[str]:
    """The names of all that there is a file of."""
    return sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in ROOT.glob("Pulumi.*.yaml"))


def home() -> Path:
    """The folder of this clone's state: stacks, passphrase, plugins, the local cloud."""
    return Path(os.environ.get("SLIPWAY_HOME") or ROOT / ".slipway")
