"""What every command needs first: the virtual environment, the engine and the plugins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cli.console import fail
from cli.paths import ROOT, VENV, home

_STAMPS = (VENV / "slipway-lock", home() / "setup.stamp")


def set_up() -> None:
    """Run scripts/setup; where it had to do anything, the command starts afresh with that."""
    before = _stamps()
    if subprocess.run(["scripts/setup"], cwd=ROOT, check=False).returncode != 0:
        fail("")
    if _stamps() != before or Path(sys.prefix).resolve() != VENV.resolve():
        script = ROOT / "scripts" / sys.argv[1]
        os.execv(script, [str(script), *sys.argv[2:]])  # noqa: S606 - it is ours
    from cli.project import namespace

    namespace.adopt()


def _stamps() -> list[str]:
    return [path.read_text() if path.is_file() else "" for path in _STAMPS]
