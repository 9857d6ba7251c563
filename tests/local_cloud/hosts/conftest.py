"""A cloud of real hosts for these tests: its own state folder, the user's image cache."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from local_cloud.cli.paths import cache_folder
from local_cloud.hosts import requirements
from local_cloud.hosts.cleanup import remove_cloud
from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.machine import Interface, MachineSpec
from tests.ports import free_port

IMAGE = "debian-12-x64"
SECONDS_TO_CONNECT = 3


@dataclass(frozen=True)
class KeyPair:
    """An SSH key in files, as `ssh-keygen` makes them."""

    file: Path

    @property
    def private(self) -> str:
        return self.file.read_text()

    @property
    def public(self) -> str:
        return self.file.with_suffix(".pub").read_text().strip()


@dataclass
class Site:
    """A hypervisor, the machines booted on it, and a person's keys."""

    hypervisor: NspawnHypervisor
    folder: Path
    key: KeyPair
    host_key: KeyPair
    machines: dict[str, MachineSpec] = field(default_factory=dict)

    def specify(
        self,
        name: str,
        number: int,
        *,
        network: str = "192.168.120.0/24",
        image: str = IMAGE,
        runs: str = "touch /root/ran",
    ) -> MachineSpec:
        """Machine number n (from 1) has the addresses .(9+n); `runs` is done by cloud-init."""
        public, private = self.hypervisor.public_network(), IPv4Network(network)
        spec = MachineSpec(
            id=1000 + number,
            name=name,
            image=image,
            public=Interface(address=public[9 + number], network=public),
            private=Interface(address=private[9 + number], network=private),
            user_data=user_data(self.host_key, runs),
            ssh_keys=(self.key.public,),
        )
        self.machines[name] = spec
        return spec

    def boot(self, name: str, number: int, **wishes: str) -> MachineSpec:
        spec = self.specify(name, number, **wishes)
        self.hypervisor.create(spec)
        return spec

    def ssh(self, spec: MachineSpec, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as root, trusting no other host key than the one we gave."""
        known_hosts = self.folder / "known_hosts"
        known_hosts.write_text(f"host {' '.join(self.host_key.public.split()[:2])}\n")
        return subprocess.run(
            [
                *("ssh", "-i", self.key.file, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
                *("-o", f"UserKnownHostsFile={known_hosts}", "-o", "HostKeyAlias=host"),
                *("-o", "StrictHostKeyChecking=yes", "-o", f"ConnectTimeout={SECONDS_TO_CONNECT}"),
                *(f"root@{spec.public.address}", command),
            ],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def says(self, spec: MachineSpec, command: str) -> str:
        """What a command prints; it must succeed."""
        done = self.ssh(spec, command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def reaches(self, spec: MachineSpec, address: IPv4Address | str, port: int) -> bool:
        """Whether a program on one machine can open a TCP connection to an address."""
        connect = f"timeout 1 bash -c '</dev/tcp/{address}/{port}'"
        return self.ssh(spec, connect).returncode == 0

    def folder_of(self, spec: MachineSpec) -> Path:
        return self.hypervisor.state / "machines" / str(spec.id)


def user_data(host_key: KeyPair, runs: str) -> str:
    private = "".join(f"    {line}\n" for line in host_key.private.splitlines())
    return (
        "#cloud-config\n"
        f"ssh_keys:\n  ed25519_private: |\n{private}  ed25519_public: {host_key.public}\n"
        "users:\n  - name: deploy\n    shell: /bin/bash\n"
        "write_files:\n  - path: /etc/greeting\n    content: hello\n"
        f"runcmd:\n  - {runs}\n"
    )


def make_site(folder: Path) -> Iterator[Site]:
    if os.geteuid() != 0:
        pytest.skip("hosts need root")
    requirements.ensure(lambda line: None)
    hypervisor = NspawnHypervisor(folder / "state", cache_folder())
    hypervisor.prepare_image(IMAGE, lambda line: None)
    for name in ("key", "host_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name],
            check=True,
        )
    try:
        yield Site(hypervisor, folder, KeyPair(folder / "key"), KeyPair(folder / "host_key"))
    finally:
        remove_cloud(hypervisor.state, hypervisor.cache)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty cloud."""
    yield from make_site(tmp_path)


@pytest.fixture(scope="module")
def busy_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cloud with `web` and `db` in one network, `stranger` in another, all answering on 80."""
    for site in make_site(tmp_path_factory.mktemp("site")):
        answer = "setsid python3 -m http.server 80 --directory /etc/cloud >/dev/null 2>&1 &"
        for number, name, network in (
            (1, "web", "192.168.121.0/24"),
            (2, "db", "192.168.121.0/24"),
            (3, "stranger", "192.168.122.0/24"),
        ):
            spec = site.boot(name, number, network=network)
            site.says(spec, answer)
        yield site


@pytest.fixture(name="free_port")
def _free_port() -> int:
    return free_port()


@pytest.fixture
def eventually() -> Callable[..., bool]:
    """Whether something becomes true within some seconds."""

    def wait(question: Callable[[], bool], seconds: float = 5.0) -> bool:
        deadline = time.monotonic() + seconds
        while not question():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    return wait
