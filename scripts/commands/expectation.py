"""What each server of a stack is to be like, read from the stack's state; pure.

The state holds every file as it was last rendered, with the resource that puts it there: so a
server can be compared with it, and what differs be put right by an update of that resource alone.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# The first contact with a server of one's own (components/platform/existing_servers.py).
OWN_MACHINE = "-deploy-user"
SERVER = "slipway:index:Server"
_PUT_FILE = "slipway-put-file"
_APPLICATION = re.compile(r"/etc/slipway/(\w+)/app\.json")
# A tool of ours in the first contact (templates/first_contact.sh).
_TOOL = re.compile(
    r"cat >/usr/local/sbin/\.(slipway-[\w-]+) <<'END OF \1'\n(.*?)END OF \1\n", re.DOTALL
)


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
    machine: str
    """The URN of its droplet, or of the first contact with a server of one's own."""
    files: dict[str, WantedFile] = field(default_factory=dict)
    """By path."""
    system: dict[str, Any] = field(default_factory=dict)
    """How it calls things (components/servers/distributions/distribution.py, `facts`)."""
    resources: dict[str, str] = field(default_factory=dict)
    """The URNs of everything that is done on this server, by the resource's name."""

    @property
    def application(self) -> str | None:
        """The name of the first site's application."""
        return next((app for app in self._applications if app not in self.sites), None)

    @property
    def sites(self) -> list[str]:
        """The names of the applications of further sites."""
        # Their resources have the name in theirs (components/application/web.py).
        return [app for app in self._applications if self.named(f"{app}-releasectl-settings")]

    @property
    def _applications(self) -> list[str]:
        return [found[1] for path in self.files if (found := _APPLICATION.match(path))]

    @property
    def postgresql(self) -> bool:
        """Whether PostgreSQL runs there."""
        return "postgresql.service" in self.units

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """The services that run there, each with the resources that start it.

        A service is started by the step that puts its file there (components/servers/server.py).
        """
        services = {
            self.system["services"]["ssh"]: self._putting(r"/etc/ssh/"),
            self.system["services"]["updates"]: self.named("packages"),
            "slipway-firewall.service": self._putting(r"/etc/systemd/system/slipway-firewall"),
            "supervisor.service": self._putting(r"/etc/systemd/system/supervisor\.service\.d/"),
            "nginx.service": self._putting(r"/etc/nginx/"),
            "postgresql.service": self._putting(r"/(etc/postgresql|var/lib/pgsql)/.*/conf\.d/"),
        }
        return {name: urns for name, urns in services.items() if urns}

    @property
    def serving(self) -> tuple[str, ...]:
        """What makes the release serve: a switch starts, enables and shows it, once more if asked.

        With several servers a switch that is not confirmed goes back.
        """
        return self.serving_of("")

    def serving_of(self, site: str) -> tuple[str, ...]:
        """The same for a further site, by its name."""
        prefix = f"{site}-" if site else ""
        return self.named(f"{prefix}switch") + self.named(f"{prefix}confirm")

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
    found = {
        machine: Expectation(server=server, machine=resource["urn"])
        for resource in resources
        for machine, server in _machine(resource)
    }
    for resource in resources:
        # Everything on a server carries its machine's id (components/servers/remote.py).
        for machine in resource["inputs"].get("triggers") or []:
            if str(machine) in found:
                _add(found[str(machine)], resource)
    by_name = {each.server: each for each in found.values()}
    for resource in resources:
        if resource["type"] == SERVER and _name(resource) in by_name:
            by_name[_name(resource)].system = resource["outputs"]["system"]
    return by_name


def _machine(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The id of the machine that a resource stands for, and the server's name; or nothing."""
    name = _name(resource)
    if resource["type"].endswith(":Droplet"):
        yield str(resource["id"]), name
    elif resource["type"].endswith(":Command") and name.endswith(OWN_MACHINE):
        (machine,) = resource["inputs"]["triggers"]
        yield str(machine), name.removesuffix(OWN_MACHINE)


def _add(expectation: Expectation, resource: dict[str, Any]) -> None:
    name, urn = _name(resource), str(resource["urn"])
    expectation.resources[name] = urn
    if name == f"{expectation.server}-first-contact":
        for tool, text in _TOOL.findall(str(resource["inputs"].get("stdin", ""))):
            digest = hashlib.sha256(text.encode()).hexdigest()
            expectation.files[f"/usr/local/sbin/{tool}"] = WantedFile(
                sha256=digest, mode="0755", owner="root:root", urn=urn
            )
    elif _PUT_FILE in (command := str(resource["inputs"].get("create", ""))):
        # A RemoteFile: the script is the last word of the command line, the file its first words.
        words = shlex.split(shlex.split(command)[-1])
        place = words.index(_PUT_FILE)
        path, mode, owner = words[place + 1 : place + 4]
        digest = str(resource["outputs"].get("stdout", ""))
        expectation.files[path] = WantedFile(sha256=digest, mode=mode, owner=owner, urn=urn)


def _name(resource: dict[str, Any]) -> str:
    return str(resource["urn"]).rsplit("::", 1)[-1]
