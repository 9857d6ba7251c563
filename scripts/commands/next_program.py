"""The program of the next update, always one that is ready (scripts/commands/ready_program.py)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from scripts.commands.engine import ROOT

SECONDS_TO_END = 5


class NextProgram:
    """A program that has been started and waits. `renew` it after each update; `close` it."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._began = time.time()
        self._folder = tempfile.TemporaryDirectory(prefix="slipway-")
        self._socket = f"{self._folder.name}/program"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scripts.commands.ready_program", self._socket],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What is wrong with the program is said by the engine, which then runs it itself.
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def options(self) -> list[str]:
        """Options of `pulumi up` that run this program; waits until it is ready.

        None where it did not come so far, or where its source is another one by now: then the
        engine runs the program as ever, and says what is wrong with it.
        """
        is_ready = self._process.stdout and self._process.stdout.readline()
        if not is_ready or self._is_out_of_date():
            return []
        return [f"--client=unix://{self._socket}"]

    def _is_out_of_date(self) -> bool:
        sources = [ROOT / "__main__.py", *(ROOT / "components").glob("*.py")]
        return any(source.stat().st_mtime > self._began for source in sources)

    def renew(self) -> None:
        self.close()
        self._start()

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._folder.cleanup()
