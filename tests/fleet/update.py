"""An update that runs beside the test, so that something can happen to it in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from tests.clone import Clone

SECONDS_FOR_AN_UPDATE = 180


class Update:
    """A command of the project, running within a `with` block; nothing of it is left afterwards."""

    def __init__(self, site: Clone, command: str = "scripts/up local") -> None:
        self.command = command
        # A session of its own: the engine gives each plugin a process group of its own.
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=site.folder,
            env=site.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Update:
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.kill()

    @property
    def said(self) -> str:
        return "".join(self._lines)

    def wait_for(self, text: str) -> None:
        """Return as soon as it has said this, such as "web-2-stage updated"."""
        deadline = time.monotonic() + SECONDS_FOR_AN_UPDATE
        while text not in self.said:
            over = self._process.poll() is not None and not self._reader.is_alive()
            assert not over, f"{self.command} ended without {text!r}:\n{self.said}"
            assert time.monotonic() < deadline, f"no {text!r} in time:\n{self.said}"
            time.sleep(0.005)

    def end(self, *, fails: bool = False) -> str:
        """Wait for its end; what it has said."""
        status = self._process.wait(SECONDS_FOR_AN_UPDATE)
        self._reader.join(10)
        assert (status != 0) == fails, f"exit status {status}\n$ {self.command}\n{self.said}"
        return self.said

    @contextmanager
    def held(self) -> Iterator[None]:
        """It stands still meanwhile, so that it cannot end before whoever comes too has met it."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9 for all of it at once: shell, engine, language host, program and plugins."""
        while self._signal(signal.SIGKILL):
            self._process.wait()

    def _signal(self, number: signal.Signals) -> bool:
        """Whether there was any process of it."""
        running = self._processes()
        for pid in running:
            with suppress(ProcessLookupError):  # ended meanwhile, with what it was a part of
                os.kill(pid, number)
        return bool(running)

    def _processes(self) -> list[int]:
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--sid", str(self._process.pid)], capture_output=True, text=True
        )
        return [int(pid) for pid in listed.stdout.split()]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)
