"""What each server of a stack is to be like, read from the stack's state; pure.

The state holds every file as it was last rendered, with the resource that puts it there: so a
server can be compared with it, and what differs be put right by an update of that resource alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from components.core import undo
from components.core.put_file import PutFile

# Creates the user deploy on an existing server (components/platform/existing_servers.py).
OWN_MACHINE = "-deploy-user"
SERVER = "slipway:index:Server"
_APPLICATION = re.compile(r"/etc/slipway/(\w+)/app\.json")


@dataclass(frozen=True, kw_only=True)
class WantedFile:
    put: PutFile
    """As whoever needs it has declared it."""
    sha256: str
    urn: str
    """The resource that puts it there."""


@dataclass(frozen=True, kw_only=True)
class WantedUnit:
    serves: bool
    """Whether the site is down when it does not run."""
    repair: tuple[str, ...]
    """The resources that start it."""


@dataclass(kw_only=True)
class Expectation:
    """One server as the last update left it."""

    server: str
    machine: str
    """The URN of its droplet, or of what creates the user deploy on an existing server."""
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
    def units(self) -> dict[str, WantedUnit]:
        """The units that run there; the first file that declares one starts it."""
        found: dict[str, WantedUnit] = {}
        for file in self.files.values():
            if unit := file.put.unit:
                found.setdefault(unit.name, WantedUnit(serves=unit.serves, repair=(file.urn,)))
        return found

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
        if (machine := _machine_of(resource["inputs"])) in found:
            _add(found[machine], resource)
    by_name = {each.server: each for each in found.values()}
    for resource in resources:
        if resource["type"] == SERVER and _name(resource) in by_name:
            _add_server(by_name[_name(resource)], resource["outputs"])
    return by_name


def _machine_of(inputs: dict[str, Any]) -> str:
    """Everything on a server carries its machine's id (components/servers/remote.py)."""
    for machine in inputs.get("triggers") or []:
        return str(machine)
    return undo.machine_of(str(inputs.get("delete") or "")) or ""


def _machine(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The id of the machine that a resource stands for, and the server's name; or nothing."""
    name = _name(resource)
    if resource["type"].endswith(":Droplet"):
        yield str(resource["id"]), name
    elif resource["type"].endswith(":Command") and name.endswith(OWN_MACHINE):
        (machine,) = resource["inputs"]["triggers"]
        yield str(machine), name.removesuffix(OWN_MACHINE)


def _add(expectation: Expectation, resource: dict[str, Any]) -> None:
    urn = str(resource["urn"])
    expectation.resources[_name(resource)] = urn
    if put := PutFile.in_command(str(resource["inputs"].get("create", ""))):
        digest = str(resource["outputs"].get("stdout", ""))
        expectation.files[put.path] = WantedFile(put=put, sha256=digest, urn=urn)


def _add_server(expectation: Expectation, outputs: dict[str, Any]) -> None:
    """What components/servers/server.py says of a server as a whole."""
    expectation.system = outputs["system"]
    (urn,) = expectation.named("bootstrap")
    for path, digest in outputs["tools"].items():
        put = PutFile(path=path, mode="0755")
        expectation.files[path] = WantedFile(put=put, sha256=digest, urn=urn)


def _name(resource: dict[str, Any]) -> str:
    return str(resource["urn"]).rsplit("::", 1)[-1]
