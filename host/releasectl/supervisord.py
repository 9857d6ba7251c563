"""Instances as programs of supervisord."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from .console import ReleaseError
from .files import write_if_changed
from .systemd import STOP_GRACE_SECONDS, Systemd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Supervisord(Systemd):
    """Each instance is a program of its own in /etc/supervisor/conf.d.

    Timers and drains remain units of systemd, hence the base class.
    """

    # Faults which mean that there is nothing to do (supervisor/xmlrpc.py).
    UNKNOWN, ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED = 10, 60, 70, 90

    def __init__(self, app: str, root: Path) -> None:
        super().__init__(app, root)
        self.folder = root / "etc" / "supervisor" / "conf.d"
        self.first_pids: dict[str, int] = {}  # the process seen first, by instance

    def has(self, instance: str) -> bool:
        return self._file(instance).exists()

    def start(self, instance: str, seconds: float) -> str | None:
        """Ask supervisord to start it. Whether it is ready shows on its socket."""
        name = self.name(instance)
        try:
            self._ask("reloadConfig")
            if self._ask("addProcessGroup", name, ignored=(self.ALREADY_ADDED,)) is None:
                self._ask("startProcess", name, False, ignored=(self.ALREADY_STARTED,))
        except ReleaseError as error:
            return str(error)
        return None

    def stop(self, instance: str) -> None:
        name = self.name(instance)
        self._ask("stopProcess", name, ignored=(self.NOT_RUNNING, self.UNKNOWN))
        self._file(instance).unlink(missing_ok=True)
        self._ask("removeProcessGroup", name, ignored=(self.UNKNOWN,))

    def put(self, instance: str) -> None:
        program = (self.instances / instance / "program.conf").read_text(encoding="utf-8")
        write_if_changed(self._file(instance), program.replace("INSTANCE", instance))

    def remove(self, instance: str) -> None:
        """Nothing to do: `stop` has removed its file."""

    def stop_now(self, instance: str) -> None:
        self._ask(
            "stopProcess", self.name(instance), False, ignored=(self.NOT_RUNNING, self.UNKNOWN)
        )
        time.sleep(STOP_GRACE_SECONDS)
        self.kill(instance)
        self.stop(instance)

    def kill(self, instance: str) -> None:
        import contextlib

        pid = self._ask("getProcessInfo", self.name(instance))["pid"]
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # supervisor gives each program a group

    def enable(self, instance: str) -> None:
        """Nothing to do: supervisord starts every program in its folder at boot."""

    def disable(self, instance: str) -> None:
        """See `enable`."""

    def is_enabled(self, instance: str) -> bool:
        return self.has(instance)

    def state(self, instance: str) -> str:
        return str(self._ask("getProcessInfo", self.name(instance))["statename"]).lower()

    def has_failed(self, instance: str) -> bool:
        info = self._ask("getProcessInfo", self.name(instance))
        if info["pid"]:
            self.first_pids.setdefault(instance, info["pid"])
        restarted = info["pid"] != self.first_pids.get(instance, info["pid"])
        return restarted or info["statename"] in ("BACKOFF", "FATAL", "EXITED")

    def log(self, instance: str) -> str:
        return self._journal(f"SYSLOG_IDENTIFIER={self.name(instance)}")

    def name(self, instance: str) -> str:
        return f"{self.app}@{instance}"

    def _file(self, instance: str) -> Path:
        return self.folder / f"{self.name(instance)}.conf"

    def _ask(self, method: str, *arguments: Any, ignored: tuple[int, ...] = ()) -> Any:
        """Call a method of supervisord; None if it fails with one of the faults in `ignored`."""
        import http.client
        import socket
        import xmlrpc.client

        path = str(self.root / "run" / "supervisor.sock")

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(path)

        class Transport(xmlrpc.client.Transport):
            def make_connection(self, _: object) -> http.client.HTTPConnection:
                return Connection("localhost")

        server = xmlrpc.client.ServerProxy("http://localhost", transport=Transport())
        try:
            return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in ignored:
                return None
            raise ReleaseError(f"supervisor, {method}: {fault.faultString}") from None
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise ReleaseError(f"supervisor does not answer on {path}: {error}") from None
