"""What each server of a stack is to be like, read from the stack's state; pure.

The state holds every file as it was last rendered, with the resource that puts it there: so a
server can be compared with it, and what differs be put right by an update of that resource alone.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass, field
from typing import Any

_PUT_FILE = "slipway-put-file"
_CLUSTER = re.compile(r"/etc/postgresql/(\d+)/(\w+)/")
_APPLICATION = re.compile(r"/etc/slipway/(\w+)/app\.json")
_INSTALLED = re.compile(r"install -m (\d+) /dev/stdin (/\S+?)'?$")


@dataclass(frozen=True, kw_only=True)
class WantedFile:
    sha256: str
    mode: str
    owner: str
    urn: str
    """The resource that puts it there."""


@dataclass(kw_only=True)
class Expectation:
    """One server as the last update left it."""

    server: str
    droplet: str
    """The URN of its droplet."""
    files: dict[str, WantedFile] = field(default_factory=dict)
    """By path."""
    resources: dict[str, str] = field(default_factory=dict)
    """The URNs of everything that is done on this server, by the resource's name."""

    @property
    def application(self) -> str | None:
        """The name of the application that is served there."""
        return next((found[1] for path in self.files if (found := _APPLICATION.match(path))), None)

    @property
    def postgresql(self) -> str | None:
        """The version of the PostgreSQL there."""
        return next((found[1] for path in self.files if (found := _CLUSTER.match(path))), None)

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """The services that run there, each with the resources that start it.

        A service is started by the step that puts its file there (components/server.py).
        """
        services = {
            "ssh": self._putting(r"/etc/ssh/"),
            "unattended-upgrades": self.named("packages"),
            "supervisor": self._putting(r"/etc/systemd/system/supervisor\.service\.d/"),
            "nginx": self._putting(r"/etc/nginx/sites-available/"),
            "postgresql": self._putting(r"/etc/postgresql/.*/conf\.d/"),
        }
        return {f"{name}.service": urns for name, urns in services.items() if urns}

    @property
    def serving(self) -> tuple[str, ...]:
        """What makes the release serve: a switch starts, enables and shows it, once more if asked.

        With several servers a switch that is not settled goes back.
        """
        return self.named("switch") + self.named("settle")

    def named(self, what: str) -> tuple[str, ...]:
        """The URN of `<server>-<what>`, if there is one."""
        urn = self.resources.get(f"{self.server}-{what}")
        return (urn,) if urn else ()

    def _putting(self, path: str) -> tuple[str, ...]:
        urns = [wanted.urn for each, wanted in self.files.items() if re.match(path, each)]
        return tuple(urns[:1])


def expectations(resources: list[dict[str, Any]]) -> dict[str, Expectation]:
    """For each server in the state, by its name.

    Args:
        resources: as `engine.exported` gives them.
    """
    droplets = [each for each in resources if each["type"].endswith(":Droplet")]
    found = {
        str(each["id"]): Expectation(server=_name(each), droplet=each["urn"]) for each in droplets
    }
    for resource in resources:
        # Everything on a server carries its droplet's id (components/remote.py).
        for droplet in resource["inputs"].get("triggers") or []:
            if str(droplet) in found:
                _add(found[str(droplet)], resource)
    return {each.server: each for each in found.values()}


def _add(expectation: Expectation, resource: dict[str, Any]) -> None:
    expectation.resources[_name(resource)] = resource["urn"]
    file = _file(resource)
    if file:
        path, wanted = file
        expectation.files[path] = wanted


def _file(resource: dict[str, Any]) -> tuple[str, WantedFile] | None:
    """The file that a RemoteFile, or the first contact, puts on its server."""
    command = str(resource["inputs"].get("create", ""))
    if _PUT_FILE not in command:
        return None
    if installed := _INSTALLED.search(command):
        content = str(resource["inputs"]["stdin"]).encode()
        return installed[2], WantedFile(
            sha256=hashlib.sha256(content).hexdigest(),
            mode=installed[1],
            owner="root:root",
            urn=resource["urn"],
        )
    words = shlex.split(shlex.split(command)[-1])
    place = words.index(_PUT_FILE)
    path, mode, owner = words[place + 1 : place + 4]
    digest = str(resource["outputs"].get("stdout", ""))
    return path, WantedFile(sha256=digest, mode=mode, owner=owner, urn=resource["urn"])


def _name(resource: dict[str, Any]) -> str:
    return str(resource["urn"]).rsplit("::", 1)[-1]
