"""The cloud's name server: a Knot DNS of its own, detached, which hosts and this computer ask.

It is on loopback; the firewall leads the hosts to it from their gateway's port 53. What it answers
is written anew from the records whenever the cloud starts, so all its files but the port and the
record of its process are in /run.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from local_cloud.hosts import requirements
from local_cloud.hosts.commands import last_lines, run
from local_cloud.hosts.host_settings import LOOPBACK, NameServerPort, resolver
from local_cloud.hosts.kernel import SHARED
from local_cloud.hosts.models import write_atomically
from local_cloud.hosts.names import Names
from local_cloud.hosts.process import Process, start_detached
from local_cloud.machine import MachineError, Zone
from local_cloud.services.knot_configuration import USER, KnotFolders, render
from local_cloud.services.knot_port import free_port, only_this_cloud
from local_cloud.services.service_names import service_zone
from local_cloud.services.soa_question import served_serial

START_SECONDS = 10.0
STEP_SECONDS = 0.01


class Knot:
    """The name server of a state folder; nothing is kept in memory that is not on disk too."""

    def __init__(
        self,
        state_folder: Path,
        public_network: Callable[[], IPv4Network],
        upstreams: Callable[[], Sequence[IPv4Address]] = lambda: resolver().servers,
    ) -> None:
        names = Names.of(state_folder)
        self._owner = names.tag
        self._public_network, self._upstreams = public_network, upstreams
        self._kept = NameServerPort(state_folder)
        self._folders = KnotFolders(SHARED / f"{names.machine_prefix}name-server")
        self._lock = threading.Lock()

    @property
    def process(self) -> Process | None:
        """None when it does not run."""
        process = Process.recorded(self._record)
        return process if process is not None and process.is_alive else None

    @property
    def port(self) -> int | None:
        """Where it listens on 127.0.0.1, UDP and TCP; None before its first start."""
        return self._kept.read()

    def check(self) -> None:
        """Raise `MachineError` saying why this computer has no name server."""
        requirements.check_optional("knotd")

    def serve(self, zones: Sequence[Zone]) -> None:
        """Answer for exactly these zones and the cloud's own; return when it does.

        Zones that are as they were are not touched. Raises `MachineError` when it refuses.
        """
        with self._lock:
            self.check()
            # The cloud's own comes first: only its name server answers for it with this serial.
            wanted = [service_zone(self._public_network()), *zones]
            changed: list[Zone] = []
            try:
                changed = self._write_zones(wanted)
                self._serve(wanted, changed)
            except (MachineError, OSError, LookupError) as error:
                for zone in changed:  # so that the next try does not take them for done
                    self._file(zone).unlink(missing_ok=True)
                if isinstance(error, MachineError):
                    raise
                raise MachineError(f"the name server Knot cannot be used: {error}") from error

    def _serve(self, wanted: Sequence[Zone], changed: Sequence[Zone]) -> None:
        port = self.port
        runs = self.process is not None and self._folders.socket.exists()
        if runs and port is not None:
            self._change(port, wanted, changed)
        else:
            self._start(wanted)

    def _start(self, wanted: Sequence[Zone]) -> None:
        self._end()
        self._make_own_folder()
        self._kept.folder.mkdir(parents=True, exist_ok=True)
        self._output.unlink(missing_ok=True)
        with only_this_cloud():
            port = free_port(self.port)
            self._configure(self._configuration(port, wanted))
            start_detached(
                ["knotd", "-c", self._folders.configuration],
                owner=self._owner,
                output=self._output,
                record=self._record,
            )
            try:
                self._wait_until_served(port, wanted[:1])
            except MachineError:
                self._end()
                raise
        self._kept.write(port)
        self._wait_until_served(port, wanted[1:])

    def _end(self) -> None:
        process = Process.recorded(self._record)
        if process is not None:
            process.kill()
        self._record.unlink(missing_ok=True)

    def _change(self, port: int, wanted: Sequence[Zone], changed: Sequence[Zone]) -> None:
        configuration = self._configuration(port, wanted)
        if self._folders.configuration.read_text() != configuration:
            self._configure(configuration)
            self._tell("reload")
        elif changed:
            self._tell("zone-reload", *(zone.name for zone in changed))
        self._wait_until_served(port, changed)
        for left in set(self._folders.zones.glob("*.zone")) - set(map(self._file, wanted)):
            left.unlink()

    def _write_zones(self, zones: Iterable[Zone]) -> list[Zone]:
        """Write the files of those that are new or have changed, and return these."""
        for folder in (SHARED, self._folders.folder, self._folders.zones):
            folder.mkdir(exist_ok=True)
            _let_read(folder)
        changed = []
        for zone in zones:
            file = self._file(zone)
            if not file.exists() or file.read_text() != zone.text:
                write_atomically(file, zone.text)
                _let_read(file)
                changed.append(zone)
        return changed

    def _make_own_folder(self) -> None:
        """What its user may write to; zones and configuration it can only read."""
        shutil.rmtree(self._folders.own, ignore_errors=True)
        self._folders.own.mkdir(mode=0o700)
        shutil.chown(self._folders.own, USER, USER)

    def _configuration(self, port: int, zones: Iterable[Zone]) -> str:
        names = (zone.name for zone in zones)
        return render(self._folders, (LOOPBACK, port), self._upstreams(), names)

    def _configure(self, configuration: str) -> None:
        write_atomically(self._folders.configuration, configuration)
        _let_read(self._folders.configuration)

    def _tell(self, *words: str) -> None:
        run(["knotc", "-s", self._folders.socket, *words])

    def _wait_until_served(self, port: int, zones: Iterable[Zone]) -> None:
        """Ask for each zone until it is served as it was written, as a resolver would ask."""
        deadline = time.monotonic() + START_SECONDS
        for zone in zones:
            while served_serial(LOOPBACK, port, zone.name) != zone.serial:
                if self.process is None or time.monotonic() > deadline:
                    said = self._output.read_text(errors="replace") if self._output.exists() else ""
                    raise MachineError(
                        f"the name server Knot does not answer for {zone.name}: {last_lines(said)}"
                    )
                time.sleep(STEP_SECONDS)

    def _file(self, zone: Zone) -> Path:
        return self._folders.zone(zone.name)

    @property
    def _output(self) -> Path:
        return self._kept.folder / "output.log"

    @property
    def _record(self) -> Path:
        return self._kept.folder / "process.json"


def _let_read(path: Path) -> None:
    """Let its user read what is ours, whatever the umask of the person who started the cloud."""
    path.chmod(0o755 if path.is_dir() else 0o644)
