"""supervisor: each instance is a program of supervisord, which systemd runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.app_servers.app_server import ProcessManager
from components.core.put_file import PutFile, ServerFile, Unit
from components.core.render import render


def _files(values: Mapping[str, Any]) -> list[ServerFile]:
    folder = values["configuration"]
    return [
        ServerFile(
            name="program",
            put=PutFile(path=f"{folder}/program.conf", site=values["app"]),
            content=render("program.conf", **values),
        ),
        ServerFile(
            name="supervise",
            put=PutFile(path=f"{folder}/supervise", mode="0755", site=values["app"]),
            content=render("supervise.sh", **values),
        ),
        ServerFile(
            name="supervisor",
            # All sites share it.
            put=PutFile(
                path="/etc/systemd/system/supervisor.service.d/slipway.conf",
                unit=Unit(name="supervisor.service", verb="start"),
            ),
            content=render("supervisor.service.conf"),
        ),
    ]


SUPERVISOR = ProcessManager(name="supervisor", packages={"debian": ("supervisor",)}, files=_files)
