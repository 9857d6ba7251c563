"""Settings whose change interrupts something on the servers; the user is told before it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.settings.settings import Settings

#: The name of the stack output.
OUTPUT = "runs_with"


def of(settings: Settings) -> dict[str, str]:
    """What the next update compares its settings with."""
    sizes = {} if settings.own_hosts else {"webSize": settings.web_size, "dbSize": settings.db_size}
    return {**sizes, "dbConnections": str(settings.db_connections)}


def told(settings: Settings, earlier: Mapping[str, Any], *, project: str) -> list[str]:
    """A sentence for each interruption that an update causes; pure.

    Args:
        settings: of the environment.
        earlier: the outputs of the last successful update; empty before the first.
        project: put before the names of settings.
    """
    before, servers = earlier.get(OUTPUT) or {}, ", ".join(settings.web_servers)
    in_turn = "one after the other" if settings.balanced else "and nobody is served meanwhile"
    what = {
        "webSize": f"{servers} will be switched off for a moment, {in_turn}",
        "dbSize": "db will be switched off for a moment, and the sites have no database meanwhile",
        "dbConnections": "PostgreSQL will be restarted, and the sites have no database meanwhile",
    }
    return [
        f"{what[key]}: {project}:{key} is {value}, and was {before[key]}"
        for key, value in of(settings).items()
        if before.get(key, value) != value
    ]


def tell(settings: Settings, earlier: Mapping[str, Any]) -> None:
    """Show `told` in previews and updates."""
    for sentence in told(settings, earlier, project=pulumi.get_project()):
        pulumi.log.warn(sentence)
