"""Provider plugins of one update, started before the engine asks for them.

It starts each of them when its first resource comes, one after the other; to those that run already
it connects (PULUMI_DEBUG_PROVIDERS).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cli.paths import ROOT

SECONDS_TO_END = 5


class ReadyPlugins:
    """Plugins by the paths of their programs, such as pulumi-resource-command."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._processes = {
            Path(path).name.removeprefix("pulumi-resource-"): subprocess.Popen(
                [path],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                # As the engine starts them: Ctrl-C is told by it.
                process_group=0,
            )
            for path in paths
        }

    def ports(self) -> str:
        """What PULUMI_DEBUG_PROVIDERS is to say: `command:4711`. One that fails is left out."""
        found = []
        for name, process in self._processes.items():
            line = process.stdout.readline().strip() if process.stdout else ""
            if line.isdecimal():
                found.append(f"{name}:{line}")
        return ",".join(found)

    def end(self) -> None:
        """Have them let go of what they are at."""
        for process in self._processes.values():
            _signal(process, signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
