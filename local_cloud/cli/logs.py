"""Logs of a droplet: its console while booting and its journal, even while it is off."""

from __future__ import annotations

import os
import sys
from collections import deque
from pathlib import Path

from local_cloud.cli.api import Api


def show(state: Path, name: str, *, lines: int, follow: bool) -> None:
    """Print the last lines of both; go on with the journal's new ones if asked to."""
    machine = state / "machines" / str(Api(state).droplet(name)["id"])
    _title("console")
    with (machine / "console.log").open(errors="replace") as console:
        said = (f"{line.rstrip()}\n" for line in console if line.strip())
        sys.stdout.writelines(deque(said, maxlen=lines))
    _title("journal")
    journal = ["journalctl", f"--directory={machine / 'upper/var/log/journal'}", "--no-pager"]
    os.execvp(journal[0], [*journal, f"--lines={lines}", *(["--follow"] if follow else [])])  # noqa: S606


def _title(text: str) -> None:
    print(f"==> {text} <==", flush=True)  # noqa: T201
