"""Bare servers of a local cloud that belong to nobody's environment: root's key, and no more."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.site import BenchError, Site

NETWORK = "192.168.170.0/24"
ENDPOINT = "http://127.0.0.1:19700"
IMAGE = "debian-12-x64"
# Room for the application of every contender beside each other.
SIZE = "s-2vcpu-4gb"
SECONDS_TO_BOOT = 180
SECONDS_FOR_A_LOOK = 60


@dataclass(frozen=True)
class Host:
    name: str
    number: int
    """The droplet's id."""
    address: str
    private: str


@dataclass
class Hosts:
    """The local cloud of a copy of the project, and the servers ordered from it by name."""

    site: Site
    folder: Path
    """For the owner's key, the pinned host keys and control sockets of ssh."""
    by_name: dict[str, Host] = field(default_factory=dict)

    @property
    def key(self) -> Path:
        return self.folder / "owner"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def start(self) -> None:
        """The cloud, with a key and a network for the servers to come."""
        self.folder.mkdir(parents=True)
        self.site.run("scripts/setup")
        port = ENDPOINT.rsplit(":", 1)[1]
        self.site.run(f"source scripts/activate && python3 -m local_cloud start --port {port}")
        self.site.run(f"ssh-keygen -q -t ed25519 -N '' -f {self.key}")
        token = (self.site.local_cloud / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        self._api = httpx.Client(base_url=f"{ENDPOINT}/v2", headers=headers, timeout=120)
        public = self.key.with_suffix(".pub").read_text().strip()
        self._key_id = self._make("/account/keys", name="owner", public_key=public)["id"]
        self._vpc = self._make("/vpcs", name="bench", region="fra1", ip_range=NETWORK)["id"]
        self.known_hosts.touch()

    def order(self, names: Sequence[str]) -> list[Host]:
        """Those of the servers that are not there yet; returns once all of them let root in."""
        new = [name for name in names if name not in self.by_name]
        numbers = {
            name: self._make(
                "/droplets",
                name=name,
                region="fra1",
                size=SIZE,
                image=IMAGE,
                ssh_keys=[self._key_id],
                vpc_uuid=self._vpc,
            )["id"]
            for name in new
        }
        for name, number in numbers.items():
            self.by_name[name] = self._booted(name, number)
        if new:
            self._pin(self.by_name[name] for name in new)
        return [self.by_name[name] for name in names]

    def destroy(self, names: Iterable[str]) -> None:
        for name in names:
            host = self.by_name.pop(name)
            subprocess.run(
                ["ssh-keygen", "-q", "-R", host.address, "-f", self.known_hosts],
                check=True,
                capture_output=True,
            )
            self._api.delete(f"/droplets/{host.number}").raise_for_status()

    def on(self, host: Host, command: str) -> str:
        """What a shell command prints there, run as root. Raises BenchError when it fails."""
        done = subprocess.run(
            [
                *("ssh", "-i", str(self.key), "-o", f"UserKnownHostsFile={self.known_hosts}"),
                *("-o", "BatchMode=yes", "-o", "LogLevel=ERROR", f"root@{host.address}", command),
            ],
            capture_output=True,
            text=True,
            timeout=SECONDS_FOR_A_LOOK,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError(f"{host.name}: `{command}` failed:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def on_all(self, hosts: Sequence[Host], command: str) -> list[str]:
        with ThreadPoolExecutor(len(hosts)) as threads:
            return list(threads.map(lambda host: self.on(host, command), hosts))

    def _booted(self, name: str, number: int) -> Host:
        deadline = time.monotonic() + SECONDS_TO_BOOT
        while time.monotonic() < deadline:
            droplet = self._api.get(f"/droplets/{number}").raise_for_status().json()["droplet"]
            if droplet["status"] == "active":
                addresses = {each["type"]: each["ip_address"] for each in droplet["networks"]["v4"]}
                return Host(name, number, addresses["public"], addresses["private"])
            time.sleep(0.3)
        raise BenchError(f"{name} does not boot")

    def _pin(self, hosts: Iterable[Host]) -> None:
        """Their keys as they show them now: nobody else is on this network of one machine."""
        words = ["ssh-keyscan", "-t", "ed25519", *(host.address for host in hosts)]
        keys = subprocess.check_output(words, text=True, stderr=subprocess.DEVNULL)
        if keys.count("ssh-ed25519") != len(words) - 3:
            raise BenchError("not every server shows its host key")
        with self.known_hosts.open("a") as file:
            file.write(keys)

    def _make(self, path: str, **order: Any) -> Mapping[str, Any]:
        answer = self._api.post(path, json=order)
        if answer.is_error:
            raise BenchError(f"the local cloud refuses {path}: {answer.text}")
        return next(value for name, value in answer.json().items() if name != "links")
