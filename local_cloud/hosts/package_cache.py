"""Debian packages fetched once per user: an apt-cacher-ng that listens on loopback only.

The firewall leads the machines to it (`firewall.Services`). It serves this computer's own Debian
mirrors and nothing else, so that it is no way to other services. One process serves every cloud of
the user; each registers itself as a user, and the last one to leave ends it. When it does not run,
apt in a machine goes to the mirrors itself (`guest_files.package_cache_script`).
"""

from __future__ import annotations

import fcntl
import http.client
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cloud.hosts import mirrors
from local_cloud.hosts.commands import run
from local_cloud.hosts.process import Process, owned_by, start_detached
from local_cloud.machine import MachineError

BUILD = "build-"
"""How the users' names begin that are builds of images; the number of the process follows."""

SUPPORT_FILES = "/usr/lib/apt-cacher-ng"
START_SECONDS = 5.0
PORTS = range(13142, 13342)
"""Any free one of these; apt-cacher-ng 3.7 does not bind to ports above 32767."""


class PackageCache:
    """The one caching proxy of a user's cache folder."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "apt"
        self.record = self.folder / "process.json"
        self.users = self.folder / "users"
        self._owner = f"package-cache {self.folder}"

    def port(self) -> int | None:
        """Where it listens on loopback; None when it does not run."""
        process = Process.recorded(self.record)
        if process is None or not process.is_alive:
            return None
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return None

    def use(self, user: str) -> int:
        """Register a user and start it if need be; return its port on loopback."""
        with self._lock():
            (self.users / user).touch()
            return self.port() or self._start()

    def leave(self, user: str) -> None:
        """Forget a user; the last one ends the process. What was fetched stays."""
        if not self.users.is_dir():
            return
        with self._lock():
            (self.users / user).unlink(missing_ok=True)
            self._forget_the_dead()
            if not any(self.users.iterdir()):
                self._stop()

    @contextmanager
    def while_building(self) -> Iterator[str]:
        """The proxy's address, running for as long as the block does."""
        user = f"{BUILD}{os.getpid()}"
        try:
            yield f"http://127.0.0.1:{self.use(user)}"
        finally:
            self.leave(user)

    def _start(self) -> int:
        self._stop()
        port = _free_port()
        configuration = self.folder / "configuration"
        configuration.mkdir(exist_ok=True)
        for old in configuration.iterdir():
            old.unlink()
        (configuration / "acng.conf").write_text(self._configuration(port))
        process = start_detached(
            ["apt-cacher-ng", "-c", configuration],
            owner=self._owner,
            output=self.folder / "output.log",
            record=self.record,
        )
        (self.folder / "port").write_text(str(port))
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if not process.is_alive or time.monotonic() > deadline:
                raise MachineError(
                    f"the package cache does not start; see {self.folder / 'output.log'}"
                )
            time.sleep(0.02)
        return port

    def _forget_the_dead(self) -> None:
        """A build that was killed cannot leave by itself."""
        for user in self.users.glob(f"{BUILD}*"):
            if not Path("/proc", user.name.removeprefix(BUILD)).exists():
                user.unlink(missing_ok=True)

    def _stop(self) -> None:
        # By owner rather than by record, which a crash may have kept from being written.
        for process in owned_by(self._owner):
            process.kill()
        for path in (self.record, self.folder / "port"):
            path.unlink(missing_ok=True)

    def _configuration(self, port: int) -> str:
        """See the manual of apt-cacher-ng for the names."""
        served = mirrors.cacheable(mirrors.own_sources())
        ports = sorted({_port_of(address) for address in served} | {80})
        own_proxy = _proxy_of_this_computer()
        lines = [
            f"CacheDir: {self.folder / 'packages'}",
            f"LogDir: {self.folder / 'log'}",
            f"SupportDir: {SUPPORT_FILES}",
            "BindAddress: 127.0.0.1",
            f"Port: {port}",
            f"PidFile: {self.folder / 'pid'}",
            "ForeGround: 1",
            "VerboseLog: 0",
            "ExThreshold: 30",
            "Offlinemode: 0",
            # Only the mirrors below.
            "ForceManaged: 1",
            "RedirMax: 5",
            f"AllowUserPorts: {' '.join(map(str, ports))}",
            *(
                f"Remap-mirror{number}: http://{address} ; http://{address}"
                for number, address in enumerate(served)
            ),
            *([f"Proxy: {own_proxy}"] if own_proxy else []),
        ]
        return "\n".join([*lines, ""])

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.users.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _proxy_of_this_computer() -> str:
    shell = run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"]).strip()
    value = shell.partition("=")[2].strip("'\"")
    return "" if value == "DIRECT" else value


def _port_of(address: str) -> int:
    return int(address.partition("/")[0].partition(":")[2] or 80)


def _free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise MachineError(f"no free port for the package cache between {PORTS[0]} and {PORTS[-1]}")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/acng-report.html")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
