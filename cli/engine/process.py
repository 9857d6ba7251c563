"""Programs that a command runs: the Pulumi engine, ssh, and what is on this machine."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cli.console import fail
from cli.paths import ROOT


def pulumi(*words: str) -> str:
    """Standard output of the engine's command line; its own error message ends the command."""
    done = subprocess.run(["pulumi", *words], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        fail(done.stderr.strip() or f"pulumi {words[0]} failed")
    return done.stdout.strip()


def run(command: Sequence[str], **options: Any) -> int:
    """Run a program before a person's eyes, and return its exit status.

    Where we are ended meanwhile it goes on: an update comes to its end.
    """
    with ctrl_c_is_for_the_program():
        return subprocess.Popen(command, cwd=ROOT, **options).wait()


def require(command: Sequence[str], **options: Any) -> None:
    """`run`, where what fails has said why."""
    if run(command, **options) != 0:
        fail("")


@contextmanager
def ctrl_c_is_for_the_program() -> Iterator[None]:
    """The terminal tells it as well as us, and we wait until it has ended."""
    # A function of ours is not handed down to the program; SIG_IGN would be.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
