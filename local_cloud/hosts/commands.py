"""Running the machine's own tools, with errors a person can act on."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from local_cloud.machine import MachineError

LAST_LINES = 5
"""How many of a failed tool's last lines an error repeats."""


def run(
    command: Sequence[str | Path], *, stdin: str = "", environment: dict[str, str] | None = None
) -> str:
    """Run a command to its end and return what it printed.

    Raises `MachineError` with the tool's own last lines when it fails or is not installed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, check=False, env=environment
        )
    except FileNotFoundError as error:
        raise MachineError(f"{words[0]} is not installed on this machine") from error
    if done.returncode != 0:
        raise MachineError(f"{words[0]} failed: {last_lines(done.stderr or done.stdout)}")
    return done.stdout


def succeeds(command: Sequence[str | Path]) -> bool:
    """Whether a command ends well; for questions, and for removing what may be gone already."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def last_lines(text: str, count: int = LAST_LINES) -> str:
    """The end of a tool's output, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-count:]) or "it said nothing"
