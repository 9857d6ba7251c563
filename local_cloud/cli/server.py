"""The cloud's API process: is it running, start it, stop it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from local_cloud.cli.api import Api
from local_cloud.cli.paths import PROJECT, cache_folder, port_of
from local_cloud.hosts.forward import Forwards
from local_cloud.hosts.process import Process, start_detached
from local_cloud.machine import MachineError

if TYPE_CHECKING:
    from local_cloud.services.acme import AcmeServer

DEFAULT_PORT = 7300
START_SECONDS = 20.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Server:
    """The one API process that a state folder can have."""

    state: Path

    @property
    def process(self) -> Process | None:
        """The process that holds the folder's lock; None when the cloud is not running.

        The kernel's list of locks is read (proc(5)), as trying the lock could keep a server out.
        """
        lock = self.state / "lock"
        try:
            holder, inode = lock.read_text().strip(), lock.stat().st_ino
        except OSError:
            return None
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[4] == holder and words[5].endswith(f":{inode}"):
                return Process.of(int(holder))
        return None

    @property
    def port(self) -> int:
        """Where it listens, or listened last."""
        return port_of(self.state)

    def check_forwards(self, ports: Iterable[int]) -> None:
        """Raise `MachineError` when one is neither free nor a forward of this cloud."""
        forwards = Forwards.of(self.state)
        for port in ports:
            forwards.check(port)

    def start(self, wanted: int | None, report: Callable[[str], None]) -> None:
        """Start the process and return when it answers; one that runs already is left alone."""
        from local_cloud.cli import moved

        if moved.clear_old_place(self.state, self.process):
            report("this clone was moved: its droplets boot again")
        if self.process is not None:
            if wanted not in (None, self.port):
                raise MachineError(
                    f"the local cloud runs already, on port {self.port}; "
                    f"stop it first to have it on {wanted}"
                )
            report(f"the local cloud runs already, on port {self.port}")
            return
        from local_cloud.hosts import requirements

        requirements.ensure(report)
        port = self._chosen(wanted)
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = self.state / "start.log"
        output.unlink(missing_ok=True)
        process = start_detached(
            [sys.executable, "-m", "local_cloud", "serve",
             "--state", self.state, "--port", str(port)],
            owner=f"api {self.state}",
            output=output,
            record=self.state / "server.json",
            environment={"PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._answers(port):
            # If two start it at the same time, one gives up: the other's server is as good.
            ended = not process.is_alive and self.process is None
            if ended or time.monotonic() > deadline:
                process.kill()
                said = output.read_text(errors="replace").strip().splitlines()
                raise MachineError(said[-1] if said else "the local cloud ended without a word")
            time.sleep(0.03)
        moved.note(self.state)
        report(f"the local cloud answers on http://127.0.0.1:{port}/v2")

    def serve(self, wanted: int | None) -> None:
        """Run the API in this process until it is stopped."""
        from local_cloud.api.server import serve
        from local_cloud.hosts.hypervisor import NspawnHypervisor
        from local_cloud.services.acme import AcmeServer
        from local_cloud.services.knot import Knot

        port = self._chosen(wanted)
        if self.process is None:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.state / "port").write_text(f"{port}\n")
        os.chdir("/")
        hypervisor = NspawnHypervisor(self.state, cache_folder())
        Thread(target=_resume, args=(AcmeServer(hypervisor),), daemon=True).start()
        serve(self.state, port, hypervisor, Knot(self.state, hypervisor.public_network))

    def stop(self) -> bool:
        """End the process, and nothing else; whether it ran."""
        process = self.process
        if process is None:
            return False
        process.signal(signal.SIGTERM)
        if not process.wait(STOP_SECONDS):
            process.signal(signal.SIGKILL)
            process.wait(STOP_SECONDS)
        return True

    def _chosen(self, wanted: int | None) -> int:
        """The requested port, or else the last one, so that a restart keeps the address."""
        if wanted is not None:
            return wanted
        return self.port if (self.state / "port").exists() else DEFAULT_PORT

    def _answers(self, port: int) -> bool:
        try:
            Api(self.state).get("/v2/account")
        except (MachineError, OSError):
            return False
        return self.process is not None and self.port == port


def _resume(acme: AcmeServer) -> None:
    """Bring the ACME server back beside the API's start, which does not depend on it."""
    try:
        acme.resume()
    except MachineError as error:
        logging.getLogger("slipway.cloud").error("%s", error)
