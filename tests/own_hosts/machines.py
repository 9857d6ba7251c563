"""Somebody's own servers: Debian hosts that the program did not make, with root's key and no more.

They are droplets of a local cloud, ordered from it directly. An environment that is called `mine`
is then set up on them.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.clone import Clone

#: What the installation of packages makes without listing it: links of systemd, nginx and of
#: alternatives, caches, copies of the lists of users, logs, the answers to debconf's questions.
MADE_BY_PACKAGES = re.compile(
    r"(?!.*(slipway|site))("
    r"/etc/(systemd/system/[\w@.-]+\.wants(/|$)|rc\d\.d/|alternatives/|nginx/modules-enabled/)"
    r"|/etc/(ssl/certs|ld\.so\.cache$|\.pwd\.lock$)"
    r"|/etc/(passwd|shadow|group|gshadow|subuid|subgid)-?$"
    r"|/etc/apt/apt\.conf\.d/(20auto-upgrades|50unattended-upgrades)$"
    r"|/var/log/(journal/|apt|dpkg|alternatives|nginx/|unattended-upgrades/))"
)
IMAGES = {"first": "debian-12-x64", "second": "debian-13-x64", "data": "debian-13-x64"}


@dataclass(frozen=True)
class Machine:
    address: str
    private_address: str

    @property
    def setting(self) -> str:
        return f"{self.address} private={self.private_address}"


@dataclass
class OwnServers:
    clone: Clone
    machines: dict[str, Machine] = field(default_factory=dict)
    before: dict[str, set[str]] = field(default_factory=dict)
    """The files and accounts of each, before the program came."""

    @property
    def key(self) -> Path:
        """The owner's private key."""
        return self.clone.folder / "owner"

    def order(self) -> None:
        """Start the cloud and the machines in it."""
        clone, place = self.clone, self.clone.place
        clone.run(f"ssh-keygen -q -t ed25519 -N '' -f {self.key}")
        clone.run("scripts/setup", timeout=1500)
        cloud = clone.folder / ".slipway" / "local-cloud"
        python = "source scripts/activate 2>/dev/null && python3 -m local_cloud"
        clone.run(f"{python} start --state {cloud} --port {place.api}", timeout=1500)
        token = (cloud / "token").read_text().strip()
        with httpx.Client(
            base_url=f"{place.endpoint}/v2", headers={"Authorization": f"Bearer {token}"}
        ) as api:

            def make(path: str, **order: Any) -> Any:
                answer = api.post(path, json=order, timeout=60).raise_for_status().json()
                return next(value for name, value in answer.items() if name != "links")

            public = self.key.with_suffix(".pub").read_text().strip()
            key = make("/account/keys", name="owner", public_key=public)["id"]
            range_ = f"{place.network}.0/24"
            vpc = make("/vpcs", name="lan", region="fra1", ip_range=range_)["id"]
            ids = {
                name: make(
                    "/droplets",
                    name=name,
                    region="fra1",
                    size="s-1vcpu-1gb",
                    image=image,
                    ssh_keys=[key],
                    vpc_uuid=vpc,
                )["id"]
                for name, image in IMAGES.items()
            }
            for name, number in ids.items():
                self.machines[name] = _machine(api, number)

    def use(self, *web: str, **settings: Any) -> None:
        """Write the environment: these machines as web servers, and `data` as the database's."""
        path = self.clone.folder / "Pulumi.mine.yaml"
        before = yaml.safe_load(path.read_text()) if path.exists() else {}
        known = before.get("config", {})
        config = known | {
            "slipway:webHosts": [self.machines[name].setting for name in web],
            "slipway:dbHost": self.machines["data"].setting,
            "slipway:sshKey": str(self.key),
            "slipway:workers": 2,
            **{f"slipway:{name}": value for name, value in settings.items()},
        }
        path.write_text(yaml.safe_dump(before | {"config": config}))

    def trust(self) -> None:
        """Pin what the machines themselves say that their keys are."""
        words = "".join(f" --accept {self.fingerprint(name)}" for name in self.machines)
        self.clone.run(f"scripts/trust-hosts mine{words}")

    def fingerprint(self, machine: str) -> str:
        command = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
        return self.on(machine, command).split()[1]

    def on(self, machine: str, command: str) -> str:
        """What a shell command prints, run as the machine's owner, past the program."""
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        destination = f"root@{self.machines[machine].address}"
        return subprocess.run(
            ["ssh", *options.split(), "-i", str(self.key), destination, command],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    def files(self, machine: str) -> set[str]:
        """All that is in its configuration, logs and local programs but what packages brought.

        That is what dpkg lists, or what their installation makes besides, as said of each.
        """
        command = (
            "find /etc /var/log /usr/local /opt /srv /home -mindepth 1 | sort >/tmp/there;"
            " cat /var/lib/dpkg/info/*.list | sort -u | comm -23 /tmp/there -"
        )
        found = self.on(machine, command).splitlines()
        return {path for path in found if not MADE_BY_PACKAGES.match(path)}

    def accounts(self, machine: str) -> set[str]:
        """Users, and groups with their members."""
        return set(self.on(machine, "getent passwd; getent group").splitlines())

    def left_behind(self, machine: str) -> set[str]:
        """What is there that was not before the program came, packages apart."""
        return (self.files(machine) | self.accounts(machine)) - self.before[machine]

    def untouched(self) -> bool:
        """Whether nothing of ours is on any machine."""
        command = "getent passwd deploy; ls -d /etc/slipway /etc/nginx /etc/postgresql || true"
        return not any(self.on(name, f"{{ {command}; }} 2>/dev/null") for name in self.machines)

    def page(self, machine: str) -> httpx.Response:
        return httpx.get(f"http://{self.machines[machine].address}/", timeout=10)

    def output(self, name: str) -> Any:
        return json.loads(self.clone.pulumi(f"stack output --stack mine --json {name}"))

    def up(self, **options: Any) -> str:
        done = self.clone.run("scripts/up mine", timeout=900, **options)
        return done.stdout + done.stderr


def _machine(api: httpx.Client, number: int) -> Machine:
    for _ in range(240):
        droplet = api.get(f"/droplets/{number}").raise_for_status().json()["droplet"]
        if droplet["status"] == "active":
            addresses = {each["type"]: each["ip_address"] for each in droplet["networks"]["v4"]}
            return Machine(addresses["public"], addresses["private"])
        time.sleep(0.5)
    raise TimeoutError(f"droplet {number} does not become active")
