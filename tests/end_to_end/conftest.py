"""A clone of this project with an environment of its own: own state, own local cloud, own ports."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Not those of Pulumi.local.yaml: whoever runs the tests may have their own environment up.
SETTINGS: dict[str, Any] = {
    "slipway:vpcRange": "192.168.130.0/24",
    "slipway:localWebPort": 18080,
    "slipway:localDbPort": 15432,
}
ENDPOINT = "http://127.0.0.1:17300"


@dataclass(frozen=True)
class Clone:
    """A copy of the project; `run` runs a shell command in it as a person would."""

    folder: Path
    environment: dict[str, str]

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
        return json.loads(self.pulumi(f"stack output --stack local --json {name}").strip())

    def on(self, server: str, command: str) -> str:
        """What a shell command prints on a server."""
        return self.run(f"scripts/ssh local {server} {shlex.quote(command)}").stdout

    def get(self, path: str = "/") -> httpx.Response:
        port = SETTINGS["slipway:localWebPort"]
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new))


def copy_of_the_project(folder: Path) -> Clone:
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
    mine = ("SLIPWAY_", "PULUMI_", "DIGITALOCEAN_")
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
    return Clone(folder, environment)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The environment `local`, brought up once; every test leaves it serving."""
    if os.geteuid() != 0:
        pytest.skip("the local cloud boots real hosts, which needs root")
    clone = copy_of_the_project(tmp_path_factory.mktemp("slipway"))
    clone.edit("Pulumi.local.yaml", "http://127.0.0.1:7300", ENDPOINT)
    document = clone.folder / "Pulumi.local.yaml"
    # As git has it: the salt of the working tree's own stack is not in there.
    text = re.sub(r"(?m)^encryptionsalt:.*\n", "", document.read_text())
    for key, value in SETTINGS.items():
        # As the engine itself writes them: numbers in quotes.
        written = f'"{value}"' if isinstance(value, int) else value
        text = re.sub(rf"(?m)^  {key}: .*$", f"  {key}: {written}", text)
    document.write_text(text)
    clone.run(
        "git init -q && git add -A"
        " && git -c user.name=T -c user.email=t@example.org commit -q -m 'First light'"
    )
    try:
        clone.run("scripts/up local", timeout=1500)
        yield clone
    finally:
        clone.run("scripts/down local")


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
    mine = (str(state), f"sw{tag}", f"slipway-{tag}", f"slipway_{tag}", "192.168.130.")
    found = []
    for what, command in looks.items():
        lines = subprocess.run(
            command.split(), capture_output=True, text=True, check=True
        ).stdout.splitlines()
        found += [f"{what}: {line}" for line in lines if any(name in line for name in mine)]
    return found
