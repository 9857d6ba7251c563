"""The program of an update and its plugins, started before the engine asks for them.

They get ready while the rest does, which takes half a second off every update. It serves one
update only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from cli.paths import ROOT


class Prestart:
    """Starts when it is made, once the environment is what the program is to find.

    Where it does not come so far, the engine starts all of it as ever, and says what is wrong.
    Where we are killed, its standard input ends, and so does it.

    Args:
        plugins: the names of the provider plugins that the program needs.
    """

    def __init__(self, plugins: Iterable[str]) -> None:
        # Nobody else may enter: for whoever reaches the socket the program runs.
        self._folder = Path(mkdtemp())
        installed = Path(os.environ.get("PULUMI_HOME", ""), "plugins")
        paths = [
            path
            for name in plugins
            for path in installed.glob(f"resource-{name}-v*/pulumi-resource-{name}")
            if os.access(path, os.X_OK)
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cli.engine.program", self._socket, *paths],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._options: list[str] | None = None
        self._ports = ""

    @property
    def _socket(self) -> Path:
        return self._folder / "socket"

    def options(self) -> list[str]:
        """Those of `pulumi up` that have it run this program, once that is ready."""
        if self._options is None:
            assert self._process.stdout
            ready, _, self._ports = self._process.stdout.readline().strip().partition(" ")
            self._options = [f"--client=unix://{self._socket}"] if ready == "ready" else []
        return self._options

    def environment(self) -> dict[str, str]:
        """What the engine's has to have beside, after `options`."""
        return {"PULUMI_DEBUG_PROVIDERS": self._ports} if self._ports else {}

    def end(self) -> None:
        """The update is over."""
        with suppress(BrokenPipeError):  # it may have ended by itself
            self._process.communicate("end\n")
        shutil.rmtree(self._folder, ignore_errors=True)
