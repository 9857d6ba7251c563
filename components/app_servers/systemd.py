"""systemd: each instance is a unit of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.app_servers.app_server import ProcessManager
from components.core.put_file import PutFile, ServerFile
from components.core.render import render


def _files(values: Mapping[str, Any]) -> list[ServerFile]:
    path = f"{values['configuration']}/app.service"
    put = PutFile(path=path, site=values["app"])
    return [ServerFile(name="unit", put=put, content=render("app.service", **values))]


SYSTEMD = ProcessManager(
    name="systemd",
    packages={"debian": (), "rhel": ()},
    files=_files,
    fails_at_once=True,
)
