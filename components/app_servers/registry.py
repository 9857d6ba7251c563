"""All app servers and process managers, by the names that the settings have for them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from components.app_servers.app_server import AppServer, ProcessManager
from components.app_servers.gunicorn import GUNICORN
from components.app_servers.mod_wsgi import MOD_WSGI
from components.app_servers.supervisor import SUPERVISOR
from components.app_servers.systemd import SYSTEMD
from components.app_servers.uwsgi import UWSGI
from components.core.put_file import PutFile, ServerFile
from components.core.render import render

APP_SERVERS: dict[str, AppServer] = {each.name: each for each in (GUNICORN, UWSGI, MOD_WSGI)}
PROCESS_MANAGERS: dict[str, ProcessManager] = {each.name: each for each in (SYSTEMD, SUPERVISOR)}


def packages(used: Iterable[tuple[str, str]], family: str) -> list[str]:
    """The packages for these pairs of app server and process manager, each once.

    Args:
        used: their names.
        family: of the distribution; all of them run on it.
    """
    wanted = [
        package
        for app_server, manager in used
        for runner in (APP_SERVERS[app_server], PROCESS_MANAGERS[manager])
        for package in runner.packages[family]
    ]
    return list(dict.fromkeys(wanted))


def where(family: str) -> tuple[list[str], list[str]]:
    """The names of the app servers and process managers that run on a family."""
    both = (APP_SERVERS, PROCESS_MANAGERS)
    servers, managers = (
        [name for name, each in known.items() if family in each.packages] for known in both
    )
    return servers, managers


def instance_files(values: Mapping[str, Any]) -> list[ServerFile]:
    """The files of the chosen app server and process manager.

    Args:
        values: those of an `Application`.

    Raises:
        SlipwayError: naming the template that is wrong.
    """
    runs, manager = APP_SERVERS[values["app_server"]], PROCESS_MANAGERS[values["supervisor"]]
    values = {**values, "runs": runs}
    serve = ServerFile(
        name="serve",
        put=PutFile(path=f"{values['configuration']}/serve", mode="0755", site=values["app"]),
        content=render(f"serve_{runs.name}.sh", **values),
    )
    return [*runs.files(values), serve, *manager.files(values)]


def import_first(app_server: str, manager: str) -> bool:
    """Whether releasectl imports the module once before it starts an instance.

    Some pairs start although the module cannot be imported, and hide the reason.
    """
    return not (APP_SERVERS[app_server].fails_at_once and PROCESS_MANAGERS[manager].fails_at_once)
