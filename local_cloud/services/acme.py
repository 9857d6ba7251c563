"""The ACME server of a cloud: pebble, which is Let's Encrypt's own for tests (RFC 8555).

It runs detached and outlives the cloud's process, as the hosts do. It listens on this computer's
loopback; hosts reach it under the same port at their gateway, where the firewall leads them. What
it knows of accounts and orders is in its memory, and its root is another one at each start: all
roots it ever had are kept in one file, so that what was issued before is still trusted.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from local_cloud.authority import Authority
from local_cloud.hosts.commands import last_lines
from local_cloud.hosts.firewall import DOMAIN_PORT
from local_cloud.hosts.forward import is_taken
from local_cloud.hosts.host_settings import LOOPBACK, NameServerPort, resolver
from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.hosts.kernel import SHARED
from local_cloud.hosts.models import write_atomically
from local_cloud.hosts.process import Process, start_detached
from local_cloud.machine import MachineError, Progress
from local_cloud.services.go_program import built

FOLDER = "acme"
HOST_NAME = "acme.cloud.localhost"
"""What hosts call it once the cloud's name server answers that; browsers and curl on this computer
take every name below `localhost` for loopback (RFC 6761), where it listens."""

FIRST_PORT, FIRST_MANAGEMENT_PORT = 14000, 15000
MOST_PORTS = 500
START_SECONDS = 15.0
STEP_SECONDS = 0.02
LISTENER_DAYS = 825
CERTIFICATE_DAYS = 90
"""How long what it issues is valid: as Let's Encrypt's `classic` profile in 2026."""


@dataclass(frozen=True)
class AcmeServer:
    """The one ACME server that a cloud can have."""

    hypervisor: NspawnHypervisor

    @property
    def folder(self) -> Path:
        return self.hypervisor.state / FOLDER

    @property
    def roots(self) -> Path:
        """The file with every root it ever had, and the cloud's own: for `curl --cacert`."""
        return self.folder / "roots.pem"

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be one: somebody has asked for it."""
        return self._configuration.exists()

    @property
    def process(self) -> Process | None:
        """None when it does not run."""
        process = Process.recorded(self._record)
        return process if process is not None and process.is_alive else None

    @property
    def port(self) -> int:
        """Where it listens, on loopback and for hosts at their gateway, or listened last."""
        return int(self._configured["listenAddress"].rpartition(":")[2])

    @property
    def management(self) -> str:
        """The address of its management interface, for tests: loopback only."""
        return f"https://{self._configured['managementListenAddress']}"

    def directory(self, host: IPv4Address | str = HOST_NAME) -> str:
        """The address of its directory, under its name or another that leads to it."""
        return f"https://{host}:{self.port}/dir"

    @property
    def gateway(self) -> IPv4Address:
        """Where hosts reach it by address."""
        return self.hypervisor.public_network().network_address + 1

    def start(
        self, report: Progress, name_server: str | None = None, port: int | None = None
    ) -> None:
        """Start it unless it runs; return when it answers.

        Args:
            report: is told what takes time: the first start for a user builds it.
            name_server: `address:port` of whom it asks for names, over TCP; the one of an earlier
                call, or else the cloud's own. A running one that asks another starts anew.
            port: where it has to listen; None for where it listened last, or any that is free.

        Raises `MachineError` when it cannot be built or does not start.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            if name_server:
                write_atomically(self._wish, f"{name_server}\n")
            asked = _line(self._wish) or self._name_server()
            moves = port is not None and self._configuration.exists() and port != self.port
            if self.process is None or moves or asked != _line(self._asked):
                self._start(report, asked, port)
        self.hypervisor.serve_to_machines([self.port])

    def resume(self) -> None:
        """After a restart: start it again if there was one."""
        if self.is_wanted:
            self.start(lambda line: None)

    def stop(self) -> None:
        """End it; one that has ended is fine."""
        process = self.process
        if process is not None:
            process.kill()
        self._record.unlink(missing_ok=True)

    def _start(self, report: Progress, name_server: str, port: int | None) -> None:
        program = built("acme", "pebble", self.hypervisor.cache, report)
        self.stop()
        self._write_certificate()
        write_atomically(self._asked, f"{name_server}\n")
        self._output.unlink(missing_ok=True)
        with _only_this_cloud():
            self._write_configuration(port)
            process = start_detached(
                [program, "-config", self._configuration, "-dnsserver", name_server],
                owner=self.hypervisor.names.tag,
                output=self._output,
                record=self._record,
                # Without it, it waits up to five seconds before each look at a challenge.
                environment={"PEBBLE_VA_NOSLEEP": "1"},
            )
            self._keep_root(process)

    def _write_certificate(self) -> None:
        names = [HOST_NAME, "localhost", LOOPBACK, str(self.gateway)]
        issued = Authority.of(self.hypervisor.state).issue(names, LISTENER_DAYS)
        self._key.touch(mode=0o600)
        self._key.write_text(issued.private_key)
        self._certificate.write_text(issued.certificate)

    def _write_configuration(self, port: int | None) -> None:
        last = self._configured
        if port is not None and is_taken(port):
            raise MachineError(f"port {port}, for the ACME server, is taken by another program")
        listens = f"{LOOPBACK}:{port}" if port else _address(last.get("listenAddress"), FIRST_PORT)
        managed = _address(last.get("managementListenAddress"), FIRST_MANAGEMENT_PORT)
        content = {
            "listenAddress": listens,
            "managementListenAddress": managed,
            "certificate": str(self._certificate),
            "privateKey": str(self._key),
            "httpPort": 80,
            "tlsPort": 443,
            # Of several it takes a random one where an order wishes none.
            "profiles": {
                "classic": {
                    "description": "as Let's Encrypt's profile of this name",
                    "validityPeriod": CERTIFICATE_DAYS * 24 * 3600,
                }
            },
        }
        text = json.dumps({"pebble": content}, indent=2)
        write_atomically(self._configuration, f"{text}\n")

    def _keep_root(self, process: Process) -> None:
        """Wait until it answers, and add its root to those before."""
        deadline = time.monotonic() + START_SECONDS
        while (root := self._ask_for_root()) is None:
            if not process.is_alive or time.monotonic() > deadline:
                process.kill()
                said = last_lines(self._output.read_text(errors="replace"))
                raise MachineError(f"the ACME server does not start: {said}")
            time.sleep(STEP_SECONDS)
        try:
            before = self.roots.read_text()
        except OSError:
            before = Authority.of(self.hypervisor.state).root()
        write_atomically(self.roots, before + root)

    def _ask_for_root(self) -> str | None:
        address = self._configured["managementListenAddress"]
        trust = ssl.create_default_context(cafile=str(Authority.of(self.hypervisor.state).file))
        connection = http.client.HTTPSConnection(address, timeout=2, context=trust)
        try:
            connection.request("GET", "/roots/0")
            return connection.getresponse().read().decode()
        except OSError:
            return None
        finally:
            connection.close()

    def _name_server(self) -> str:
        """The cloud's own; else this computer's. Raises `MachineError` where there is none."""
        port = NameServerPort(self.hypervisor.state).read()
        if port is not None:
            return f"{LOOPBACK}:{port}"
        servers = resolver().servers
        if not servers:
            raise MachineError("there is no name server that the ACME server could ask")
        return f"{servers[0]}:{DOMAIN_PORT}"

    @property
    def _configured(self) -> Mapping[str, str]:
        try:
            content: dict[str, str] = json.loads(self._configuration.read_text())["pebble"]
        except OSError:
            return {}
        return content

    @property
    def _configuration(self) -> Path:
        return self.folder / "configuration.json"

    @property
    def _wish(self) -> Path:
        return self.folder / "wished-name-server"

    @property
    def _asked(self) -> Path:
        return self.folder / "name-server"

    @property
    def _key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def _certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def _output(self) -> Path:
        return self.folder / "output.log"

    @property
    def _record(self) -> Path:
        return self.folder / "process.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _only_this_cloud() -> Iterator[None]:
    """From the choice of ports until they are taken: another cloud would choose the same."""
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (SHARED / "acme-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _line(file: Path) -> str:
    """The one line of a file; empty where there is none."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _address(last: str | None, first: int) -> str:
    """On loopback: the port it had, else the next free one from `first` on."""
    ports = [*([int(last.rpartition(":")[2])] if last else []), *range(first, first + MOST_PORTS)]
    for port in ports:
        if not is_taken(port):
            return f"{LOOPBACK}:{port}"
    raise MachineError(f"no free port for the ACME server from {first} on")
