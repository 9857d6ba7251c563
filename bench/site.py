"""A copy of this project with an environment of its own: state, local cloud and ports."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WEB_PORT = 19780
SITE = f"http://127.0.0.1:{WEB_PORT}/"
# Not those of Pulumi.local.yaml, nor of the tests: either may run beside.
SETTINGS = {
    "digitalocean:apiEndpoint": "http://127.0.0.1:19700",
    "slipway:vpcRange": "192.168.170.0/24",
    "slipway:localWebPort": str(WEB_PORT),
    "slipway:localDbPort": "19732",
}
USERS = ("Ada Lovelace", "Grace Hopper")
SECONDS_FOR_A_COMMAND = 1800


class BenchError(Exception):
    """A measured command failed, or did not do what was measured."""


@dataclass(frozen=True)
class Ran:
    """A command that has ended well: its time in seconds, and its standard output."""

    seconds: float
    output: str


@dataclass
class Site:
    """A copy of the project in `folder`; `environment` is what its commands see."""

    folder: Path
    environment: dict[str, str] = field(repr=False)
    edition: int = 0

    # Commands

    def run(self, command: str, *, more: Mapping[str, str] | None = None) -> Ran:
        """Run a shell command as a person would; Ctrl-C reaches it through us, once.

        Raises:
            BenchError: it failed; the end of what it said is in the text.
        """
        began = time.perf_counter()
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**self.environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, complaints = process.communicate(timeout=SECONDS_FOR_A_COMMAND)
        except BaseException:
            _end(process)
            raise
        seconds = time.perf_counter() - began
        if process.returncode != 0:
            said = f"{output[-2000:]}\n{complaints[-2000:]}"
            raise BenchError(f"`{command}` failed:\n{said.strip()}")
        return Ran(seconds, output)

    def up(self) -> Ran:
        return self.run("scripts/up local")

    def down(self) -> Ran:
        return self.run("scripts/down local")

    def pulumi(self, command: str) -> str:
        return self.run(f"source scripts/activate && pulumi {command}").output

    def on(self, server: str, command: str) -> str:
        """What a shell command prints on a server."""
        return self.run(f"scripts/ssh local {server} {shlex.quote(command)}").output.strip()

    # What is there

    @property
    def is_up(self) -> bool:
        return (self.folder / ".slipway/.pulumi/stacks/slipway/local.json").exists()

    @property
    def local_cloud(self) -> Path:
        """The folder of the copy's local cloud."""
        return self.folder / ".slipway" / "local-cloud"

    def outputs(self) -> dict[str, Any]:
        """The outputs of the last update."""
        return dict(json.loads(self.pulumi("stack output --stack local --json")))

    def page(self) -> str:
        """The front page as a visitor gets it. Raises `BenchError` unless it shows the users."""
        try:
            status, page = fetch(timeout=10)
        except OSError as error:
            raise BenchError(f"the page cannot be had: {error}") from None
        if status != http.client.OK or not all(user in page for user in USERS):
            raise BenchError(f"the page answers {status} and should list {', '.join(USERS)}")
        return page

    def released(self, page: str) -> str:
        """The release that a page says it is from."""
        found = re.search(r"<code>([0-9a-f]{12})</code>", page)
        if found is None:
            raise BenchError("the page names no release")
        return found[1]

    def traces(self) -> list[str]:
        """Everything on this machine that belongs to the copy's local cloud; one line each."""
        tag = hashlib.sha256(str(self.local_cloud.resolve()).encode()).hexdigest()[:4]
        mine = (str(self.folder), f"sw{tag}", f"slipway-{tag}", f"slipway_{tag}", "192.168.170.")
        looks = (
            *("ps axww -o args=", "cat /proc/mounts", "ip -o link", "ip netns list"),
            *("ip -4 route", "nft list tables"),
        )
        lines = [line for look in looks for line in _lines(look)]
        return [line for line in lines if any(name in line for name in mine)]

    # Changes

    def set(self, **settings: object) -> None:
        """Settings of the stack, by their name; None takes one away."""
        for name, value in settings.items():
            what = f"rm {name}" if value is None else f"set {name} {value}"
            self.pulumi(f"config {what} --stack local")

    def edit(self, path: str, pattern: str, replacement: str) -> None:
        """Replace what a regular expression finds in a file of the copy."""
        file = self.folder / path
        text, count = re.subn(pattern, replacement, file.read_text())
        if not count:
            raise BenchError(f"{path} has nothing like {pattern!r}")
        file.write_text(text)

    def new_edition(self) -> str:
        """Change a template of the application; returns what the page is to show."""
        self.edition += 1
        heading = f"<h1>Users, edition {self.edition}</h1>"
        self.edit("app/templates/users.html", "<h1>.*</h1>", heading)
        return heading


def fetch(timeout: float) -> tuple[int, str]:
    """Ask for the front page on a connection of its own. Raises OSError, also for a bad answer."""
    connection = http.client.HTTPConnection("127.0.0.1", WEB_PORT, timeout=timeout)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP answer: {error!r}") from error
    finally:
        connection.close()


def _lines(command: str) -> list[str]:
    return subprocess.check_output(command.split(), text=True).splitlines()


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt a command and all it started, as Ctrl-C would; kill it if it does not end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
