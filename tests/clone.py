"""A copy of this project with an environment of its own: own state, own local cloud, own ports."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cli.engine.state import resources_in
from cli.servers.fleet import Fleet

ROOT = Path(__file__).resolve().parent.parent
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a test's environment lives on this machine: nobody else's ports and addresses.

    Not those of Pulumi.local.yaml: whoever runs the tests may have their own environment up. Tests
    of two working trees can run at the same time when SLIPWAY_TEST_SLOT (0 to 9) differs.
    """

    number: int = 10 * int(os.environ.get("SLIPWAY_TEST_SLOT", "0"))
    """0 to 99."""

    @property
    def api(self) -> int:
        return 17300 + self.number

    @property
    def web(self) -> int:
        return 18080 + self.number

    @property
    def tls(self) -> int:
        return 18280 + self.number

    @property
    def acme(self) -> int:
        return 14100 + self.number

    @property
    def db(self) -> int:
        return 15432 + self.number

    @property
    def network(self) -> str:
        """The first three numbers of the private network's addresses."""
        return f"10.140.{self.number}"

    @property
    def table(self) -> str:
        """nft's, in which stories cut servers off."""
        return f"slipway_test_{self.number}"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.api}"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "slipway:vpcRange": f"{self.network}.0/24",
            "slipway:localWebPort": self.web,
            "slipway:localTlsPort": self.tls,
            "slipway:localDbPort": self.db,
            "slipway:acmeServer": f"https://acme.cloud.localhost:{self.acme}/dir",
        }


#: By the folder of the clone: to ask the engine for their keys takes longer than to ask a server.
_fleets: dict[Path, Fleet] = {}


@dataclass(frozen=True)
class Clone:
    """A copy of the project; `run` runs a shell command in it as a person would."""

    folder: Path
    environment: dict[str, str]
    place: Place

    def run(
        self, command: str, *, fails: bool = False, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
        said = f"$ {command}\n{done.stdout}{done.stderr}"
        assert (done.returncode != 0) == fails, f"exit status {done.returncode}\n{said}"
        return done

    def pulumi(self, command: str, **options: Any) -> str:
        """Plain `pulumi …`, after `source scripts/activate`."""
        done = self.run(f"source scripts/activate 2>/dev/null && pulumi {command}", **options)
        return done.stdout + done.stderr

    def output(self, name: str) -> Any:
        """One of the stack's outputs, as it stands in the state."""
        (root,) = (each for each in self._state() if each["type"] == "pulumi:pulumi:Stack")
        return root["outputs"][name]

    def _state(self) -> list[dict[str, Any]]:
        (file,) = self.folder.glob(".slipway/.pulumi/stacks/*/local.json")
        found: list[dict[str, Any]] = json.loads(file.read_text())["checkpoint"]["latest"][
            "resources"
        ]
        return found

    def on(self, server: str, command: str) -> str:
        """What a shell command prints on a server, over SSH but without `scripts/ssh`."""
        return self.everywhere(command, server)[server]

    def everywhere(self, command: str, *names: str, timeout: float = 600) -> dict[str, str]:
        """What it prints on all web servers, or on these, asked at once."""
        if not set(names) <= self.fleet.servers.keys():
            self.forget_fleet()
        results = self.fleet.run_on_all(command, servers=names or self.web_servers, timeout=timeout)
        if not all(result.reached for result in results.values()):
            # One may have been made anew, with another address and another key.
            self.forget_fleet()
            results = self.fleet.run_on_all(
                command, servers=names or self.web_servers, timeout=timeout
            )
        for name, result in results.items():
            assert result.status == 0, f"{name}: {command}: {result}"
        return {name: result.output for name, result in results.items()}

    @property
    def web_servers(self) -> list[str]:
        return [name for name in self.fleet.servers if name.startswith("web")]

    @property
    def fleet(self) -> Fleet:
        """Its servers, as they were when somebody asked first."""
        if self.folder not in _fleets:
            exported = self.pulumi("stack export --show-secrets --stack local")
            state = resources_in(exported[exported.index("{") :])
            _fleets[self.folder] = Fleet.in_state("local", state)
        return _fleets[self.folder]

    def forget_fleet(self) -> None:
        """Have the state asked for its servers again."""
        _fleets.pop(self.folder, None)

    def get(self, path: str = "/") -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.place.web}{path}", timeout=10)

    def reboot(self, server: str, seconds: float = 60) -> None:
        """Restart a web server, and wait until it and the page are back."""
        before = self.on(server, BOOT_ID)
        self.run(f"scripts/ssh local {server} sudo systemctl reboot || true")
        deadline = time.monotonic() + seconds
        while not self._rebooted(server, before):
            assert time.monotonic() < deadline, f"{server} is not back after {seconds:.0f} s"
            time.sleep(0.5)

    def _rebooted(self, server: str, before: str) -> bool:
        try:
            return self.on(server, BOOT_ID) != before and self.get().status_code == 200
        except (AssertionError, httpx.TransportError):
            return False

    def wait_until_it_answers(self, seconds: float = 60) -> None:
        """Until the application behind the address says something, whatever it is."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                problem = str(self.get().status_code)
                if not problem.startswith("5"):
                    return
            except httpx.TransportError as error:
                problem = str(error)
            assert time.monotonic() < deadline, f"after {seconds:.0f} s still: {problem}"
            time.sleep(0.2)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new))


def copy_of_the_project(folder: Path, place: Place) -> Clone:
    """What git would clone, with the changes of the working tree; the venv is shared."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    # Whoever has readline loaded sets the size of a terminal, also where there is none.
    mine = ("SLIPWAY_", "PULUMI_", "DIGITALOCEAN_", "COLUMNS", "LINES")
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(mine) or key == "SLIPWAY_PLUGINS"
    }
    environment["PATH"] = os.pathsep.join(
        part
        for part in environment["PATH"].split(os.pathsep)
        if not part.startswith((str(ROOT / ".venv"), str(ROOT / ".slipway")))
    )
    return Clone(folder, environment, place)


def write_settings(clone: Clone, *settings: str) -> None:
    """Move the stack `local` of a copy to its place."""
    document = clone.folder / "Pulumi.local.yaml"
    # As git has it: the salt of the working tree's own stack is not in there.
    text = re.sub(r"(?m)^encryptionsalt:.*\n", "", document.read_text())
    text = text.replace("http://127.0.0.1:7300", clone.place.endpoint)
    for key, value in clone.place.settings.items():
        # As the engine itself writes them: numbers in quotes.
        written = f'"{value}"' if isinstance(value, int) else value
        text = re.sub(rf"(?m)^  {key}: .*$", f"  {key}: {written}", text)
    document.write_text(text + "".join(f"  {line}\n" for line in settings))


def traces(clone: Clone) -> list[str]:
    """Everything on this machine that belongs to the clone's local cloud; one line each."""
    state = clone.folder / ".slipway" / "local-cloud"
    tag = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:4]
    looks = {
        "process": "ps axww -o args=",
        "mount": "cat /proc/mounts",
        "interface": "ip -o link",
        "namespace": "ip netns list",
        "route": "ip -4 route",
        "firewall": "nft list tables",
    }
    mine = (str(state), f"sw{tag}", f"slipway-{tag}", f"slipway_{tag}", f"{clone.place.network}.")
    found = []
    for what, command in looks.items():
        lines = subprocess.run(
            command.split(), capture_output=True, text=True, check=True
        ).stdout.splitlines()
        found += [f"{what}: {line}" for line in lines if any(name in line for name in mine)]
    return found
