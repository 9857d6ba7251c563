"""A small client of the cloud's own API, with few imports so that commands start quickly."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.cli.paths import not_running, port_of
from local_cloud.machine import MachineError

SECONDS = 10


@dataclass(frozen=True)
class Api:
    """The API of the cloud in a state folder."""

    state: Path

    def droplets(self) -> list[dict[str, Any]]:
        """Every droplet, as DigitalOcean's API gives them."""
        return self._every("droplets")

    def load_balancers(self) -> list[dict[str, Any]]:
        """Every load balancer, likewise."""
        return self._every("load_balancers")

    def domains(self) -> list[dict[str, Any]]:
        """Every domain, likewise."""
        return self._every("domains")

    def _every(self, noun: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        path = f"/v2/{noun}?per_page=200"
        while path:
            page = self.get(path)
            found += page[noun]
            following = page.get("links", {}).get("pages", {}).get("next", "")
            path = following[following.index("/v2/") :] if following else ""
        return found

    def droplet(self, name: str) -> dict[str, Any]:
        """The droplet of a name or id. Raises `MachineError` listing those there are."""
        all_of_them = self.droplets()
        for droplet in all_of_them:
            if name in (droplet["name"], str(droplet["id"])):
                return droplet
        names = ", ".join(sorted(droplet["name"] for droplet in all_of_them)) or "none"
        raise MachineError(f"there is no droplet {name!r}; there are: {names}")

    def get(self, path: str) -> dict[str, Any]:
        """Raises `MachineError` when the cloud does not run or refuses."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The body of a good answer. Raises `MachineError` likewise."""
        try:
            token = (self.state / "token").read_text().strip()
        except OSError as error:
            raise MachineError(not_running(self.state)) from error
        connection = http.client.HTTPConnection("127.0.0.1", port_of(self.state), timeout=SECONDS)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            raise MachineError(not_running(self.state)) from error
        finally:
            connection.close()
        if answer.status not in (http.client.OK, http.client.CREATED):
            message = f"the local cloud answers {answer.status} to {method} {path}"
            raise MachineError(message + _reason(content))
        page: dict[str, Any] = json.loads(content)
        return page


def _reason(content: bytes) -> str:
    """What a refusal says of itself, if it does."""
    try:
        return f": {json.loads(content)['message']}"
    except (ValueError, KeyError, TypeError):
        return ""


def address(droplet: dict[str, Any], kind: str) -> str:
    """A droplet's public or private address; empty while it has none."""
    for network in droplet["networks"]["v4"]:
        if network["type"] == kind:
            return str(network["ip_address"])
    return ""
