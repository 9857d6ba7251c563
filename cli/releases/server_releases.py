"""What the web servers themselves say of the releases on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.servers.fleet import Fleet, Result

ROLE = "web"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One server's releases by id, as `releasectl list --all` has them, or why there are none."""

    releases: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    problem: str | None = None

    @classmethod
    def of(cls, result: Result) -> Answer:
        if not result.reached:
            return cls(problem=f"cannot be reached: {result.errors}")
        try:
            rows = json.loads(result.output)["releases"]
        except (ValueError, KeyError, TypeError):
            said = result.errors.strip().splitlines()
            return cls(problem=said[-1] if said else "does not say which releases it has")
        return cls(releases={row["id"]: row for row in rows})

    def state(self, release: str) -> str:
        """`current`, `previous`, `ready`, `bad`, `pruned`; `missing` where it never was."""
        if self.problem:
            return "unreachable"
        return str(self.releases.get(release, {}).get("state", "missing"))

    @property
    def serving(self) -> str | None:
        return next((id for id, row in self.releases.items() if row["state"] == "current"), None)


def web_servers(fleet: Fleet) -> list[str]:
    return [name for name in fleet.servers if name.split("-")[0] == ROLE]


def ask(fleet: Fleet, app: str) -> dict[str, Answer]:
    """Every web server's answer, by its name; those that give none within seconds say why.

    Args:
        fleet: the environment's servers.
        app: the name of the site's application.
    """
    command = f"sudo releasectl --app {app} list --json --all"
    results = fleet.run_on_all(command, servers=web_servers(fleet))
    return {name: Answer.of(result) for name, result in results.items()}
