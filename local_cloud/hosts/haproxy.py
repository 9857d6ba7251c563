"""A haproxy of its own: started detached, changed without a lost connection, asked, ended."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_cloud.hosts.commands import last_lines, run
from local_cloud.hosts.kernel import SHARED
from local_cloud.hosts.models import write_atomically
from local_cloud.hosts.process import Process, start_detached
from local_cloud.machine import MachineError

USER = "haproxy"
"""The Debian package's user: the workers have its rights, and only the master is root."""

START_SECONDS = 10.0
ANSWER_SECONDS = 2.0
STEP_SECONDS = 0.02
RELOAD = signal.SIGUSR2
"""The master reads its configuration anew (HAProxy management guide, 4)."""
END = signal.SIGUSR1
"""What is under way may end; nothing new is taken."""


@dataclass(frozen=True)
class Haproxy:
    """One master process with its workers, and the files in its folder."""

    folder: Path
    name: str
    """Of its socket; begins as all names of its cloud do."""
    owner: str
    namespace: str | None = None
    """The network namespace it lives in; this computer's own if None."""

    @property
    def process(self) -> Process | None:
        """The master; None when it does not run."""
        process = Process.recorded(self._record)
        return process if process is not None and process.is_alive else None

    @property
    def socket(self) -> Path:
        """Where it answers questions: in a folder with a short name, as sockets need."""
        return SHARED / f"{self.name}.sock"

    @property
    def configuration(self) -> str | None:
        """What it was told last; None before the first time."""
        try:
            return self._configuration.read_text()
        except OSError:
            return None

    def common(self) -> list[str]:
        """The lines that every configuration begins with."""
        return [
            "global",
            "\tnbthread 1",
            f"\tuser {USER}",
            f"\tgroup {USER}",
            # A reload takes over the listening ports of the worker before it, so that none is ever
            # closed.
            f"\tstats socket {self.socket} mode 600 level admin expose-fd listeners",
        ]

    def start(self, configuration: str) -> None:
        """Start it; return when it serves. Raises `MachineError` when it refuses."""
        self._check(configuration)
        self.stop()
        self._adopt()
        self._output.unlink(missing_ok=True)
        inside = ["nsenter", f"--net=/run/netns/{self.namespace}"] if self.namespace else []
        start_detached(
            [*inside, "haproxy", "-W", "-f", self._configuration],
            owner=self.owner,
            output=self._output,
            record=self._record,
        )
        self._wait(lambda: self._worker() is not None, "does not start")

    def reload(self, configuration: str) -> None:
        """Change it while it runs; return when new connections are served as it says now.

        Connections there are go on as they began. Raises `MachineError` when it refuses; it goes on
        as it was.
        """
        self._check(configuration)
        master, before = self.process, self._worker()
        if master is None:
            raise MachineError(f"{self.name} does not run")
        self._adopt()
        master.signal(RELOAD)
        try:
            self._wait(lambda: self._worker() not in (None, before), "does not take its changes")
        except MachineError:
            self._configuration.unlink()  # so that the next try does not take it for done
            raise

    def stop(self, grace_seconds: float = 0) -> None:
        """End it, after what is under way if that ends in time; one that has ended is fine."""
        process = Process.recorded(self._record)
        if process is not None:
            if grace_seconds:
                process.signal(END)
                process.wait(grace_seconds)
            process.kill()
        self._record.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def ask(self, question: str) -> str:
        """An answer of haproxy's own command line; empty when there is none."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(str(self.socket))
                connection.sendall(f"{question}\n".encode())
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
            except OSError:
                return ""

    def _check(self, configuration: str) -> None:
        write_atomically(self._wanted, configuration)
        run(["haproxy", "-c", "-q", "-f", self._wanted])

    def _adopt(self) -> None:
        self._wanted.replace(self._configuration)

    def _worker(self) -> str | None:
        """The number of the process that serves; None when none answers."""
        for line in self.ask("show info").splitlines():
            name, _, value = line.partition(": ")
            if name == "Pid":
                return value
        return None

    def _wait(self, condition: Callable[[], bool], trouble: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self.process is None or time.monotonic() > deadline:
                said = self._output.read_text(errors="replace") if self._output.exists() else ""
                raise MachineError(f"haproxy {trouble}: {last_lines(said)}")
            time.sleep(STEP_SECONDS)

    @property
    def _configuration(self) -> Path:
        return self.folder / "haproxy.cfg"

    @property
    def _wanted(self) -> Path:
        return self.folder / "haproxy.wanted"

    @property
    def _output(self) -> Path:
        return self.folder / "output.log"

    @property
    def _record(self) -> Path:
        return self.folder / "process.json"
