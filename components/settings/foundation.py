"""Settings that servers and their data were created with, and that an update must not change; pure.

Another value of one of them would destroy servers or strand what is named after it, so it is
refused before anything is made, until somebody says what may be destroyed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from components.core.errors import SlipwayError
from components.settings.settings import Settings

#: The name of the stack output.
OUTPUT = "made_from"
#: The environment variable that names the server that may be destroyed.
DESTROY = "SLIPWAY_DESTROY"


def of(settings: Settings) -> dict[str, str]:
    """What the next update compares its settings with."""
    return {
        "appName": settings.app_name,
        "dbHost": settings.db_host,
        "region": settings.region,
        "vpcRange": settings.vpc_range,
    }


def check(settings: Settings, earlier: Mapping[str, Any], *, project: str, stack: str) -> None:
    """Raise `SlipwayError` if an update would destroy something that the user has not named.

    Args:
        settings: of the environment.
        earlier: the outputs of the last successful update; empty before the first.
        project: put before the names of settings in messages.
        stack: the environment's name.
    """
    made_from, wanted = earlier.get(OUTPUT) or {}, of(settings)
    changed = {
        key: (value, made_from[key])
        for key, value in wanted.items()
        if made_from.get(key, value) != value
    }
    if "appName" in changed:
        new, old = changed["appName"]
        raise SlipwayError(
            f"{project}:appName is {new}, and {stack} was made with {old}: users, folders and"
            f" databases on its servers have that name, so it stays {old}. Another name is another"
            " environment: scripts/new-environment"
        )
    if settings.own_hosts and made_from.get("dbHost"):
        changed = {key: value for key, value in changed.items() if key == "dbHost"}
    if not changed or os.environ.get(DESTROY) == "db":
        return
    key, (new, old) = next(iter(changed.items()))
    raise SlipwayError(
        f"{project}:{key} is {new or 'empty'}, and {stack} was made with {old or 'none'}: that"
        f" {_lost(made_from, wanted)}. To do so on purpose: scripts/up {stack} --destroy db"
        f" (plain pulumi: {DESTROY}=db pulumi up). To keep it: pulumi config set {key}"
        f" {old or repr('')} --stack {stack}"
    )


def _lost(made_from: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    if made_from.get("dbHost"):
        return f"leaves the database with all its data behind, on {made_from['dbHost']}"
    if wanted["dbHost"]:
        return "destroys all its servers, the database server db with all its data among them"
    return "destroys its servers and makes them anew, the database server db without its data"


def protects(settings: Settings, stack: str) -> bool:
    """Whether the engine refuses to destroy the database server; false if the user named it."""
    is_named = os.environ.get(DESTROY) == "db"
    return settings.protect_database and stack != "local" and not is_named


def image_of(server: str, earlier: Mapping[str, Any], wanted: str) -> str:
    """The image that a server was created from; for a new server, that of the settings.

    Args:
        server: its name in the stack.
        earlier: the outputs of the last good update.
        wanted: what the settings say.
    """
    known = [*(earlier.get("web") or ()), earlier.get("db") or {}]
    made = {each.get("server"): each.get("image") for each in known if isinstance(each, Mapping)}
    return made.get(server) or wanted
