"""One load balancer's haproxy: started detached in a network of its own, changed without a loss."""

from __future__ import annotations

import csv
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_cloud.hosts.balancer_configuration import CHECKED, render, render_states
from local_cloud.hosts.commands import last_lines, run
from local_cloud.hosts.process import Process, start_detached
from local_cloud.hosts.record import write_whole
from local_cloud.hosts.wiring import SHARED
from local_cloud.machine import Balancer, MachineError

START_SECONDS = 10.0
ANSWER_SECONDS = 2.0
RELOAD = 12
"""SIGUSR2: the master reads its configuration anew (HAProxy management guide, 4)."""


@dataclass(frozen=True)
class BalancerProcess:
    """The running side of one balancer."""

    folder: Path
    name: str
    owner: str

    @property
    def process(self) -> Process | None:
        """The master; None when it does not run."""
        process = Process.recorded(self._record)
        return process if process is not None and process.is_alive else None

    @property
    def socket(self) -> Path:
        """Where it answers questions: in a folder with a short name, as sockets need."""
        return SHARED / f"{self.name}.sock"

    def apply(self, balancer: Balancer) -> None:
        """Make it run with exactly this configuration; return when it does.

        Raises `MachineError` when haproxy refuses; one that runs goes on as it was.
        """
        wanted = render(balancer, self.socket, self._states)
        if self.process is not None and self._configuration_text() == wanted:
            return
        healthy = self.healthy()
        write_whole(self._states, render_states(balancer, healthy))
        checked = self.folder / "haproxy.checked"
        write_whole(checked, wanted)
        run(["haproxy", "-c", "-q", "-f", checked])
        master = self.process
        if master is None:
            self._start(checked)
            return
        kept = {backend.machine_id for backend in balancer.backends}
        for machine_id in self.health().keys() - kept:
            # The worker that is to end has connections that wait for their next request.
            self._ask(f"set server {CHECKED}/{machine_id} state drain")
        before = self._worker()
        checked.replace(self._configuration)
        master.signal(RELOAD)
        try:
            self._wait(lambda: self._worker() not in (None, before), "does not take its changes")
        except MachineError:
            self._configuration.unlink()  # so that the next try does not take it for done
            raise

    def stop(self) -> None:
        """End it, at once; one that has ended is fine."""
        process = Process.recorded(self._record)
        if process is not None:
            process.kill()
        self._record.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def health(self) -> dict[int, str]:
        """What haproxy thinks of each droplet, such as `UP` or `DOWN 1/3`; empty when it is off."""
        answer = self._ask("show stat")
        rows = csv.DictReader(answer.removeprefix("# ").splitlines())
        return {
            int(row["svname"]): row["status"]
            for row in rows
            if row["pxname"] == CHECKED and row["svname"].isdigit()
        }

    def healthy(self) -> set[int]:
        """The droplets that get requests now."""
        return {number for number, status in self.health().items() if status.startswith("UP")}

    def _start(self, configuration: Path) -> None:
        self.stop()
        configuration.replace(self._configuration)
        self._output.unlink(missing_ok=True)
        start_detached(
            ["nsenter", f"--net=/run/netns/{self.name}",
             "haproxy", "-W", "-f", self._configuration],
            owner=self.owner,
            output=self._output,
            record=self._record,
        )  # fmt: skip
        self._wait(lambda: self._worker() is not None, "does not start")

    def _worker(self) -> str | None:
        """The number of the process that serves; None when none answers."""
        for line in self._ask("show info").splitlines():
            name, _, value = line.partition(": ")
            if name == "Pid":
                return value
        return None

    def _ask(self, question: str) -> str:
        """An answer of haproxy's own command line; empty when there is none."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(str(self.socket))
                connection.sendall(f"{question}\n".encode())
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
            except OSError:
                return ""

    def _wait(self, condition: Callable[[], bool], trouble: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self.process is None or time.monotonic() > deadline:
                said = self._output.read_text(errors="replace") if self._output.exists() else ""
                raise MachineError(f"the load balancer {trouble}: {last_lines(said)}")
            time.sleep(0.02)

    def _configuration_text(self) -> str | None:
        try:
            return self._configuration.read_text()
        except OSError:
            return None

    @property
    def _configuration(self) -> Path:
        return self.folder / "haproxy.cfg"

    @property
    def _states(self) -> Path:
        return self.folder / "states"

    @property
    def _output(self) -> Path:
        return self.folder / "output.log"

    @property
    def _record(self) -> Path:
        return self.folder / "process.json"
