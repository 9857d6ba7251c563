"""uWSGI, of Debian's packages: those without a service of their own, which would take the port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.app_servers.app_server import AppServer
from components.core.put_file import PutFile, ServerFile
from components.core.render import render


def _files(values: Mapping[str, Any]) -> list[ServerFile]:
    path = f"{values['configuration']}/uwsgi.ini"
    put = PutFile(path=path, site=values["app"])
    return [ServerFile(name="uwsgi", put=put, content=render("uwsgi.ini", **values))]


UWSGI = AppServer(
    name="uwsgi",
    packages={"debian": ("uwsgi-core", "uwsgi-plugin-python3")},
    files=_files,
    says_when_ready=True,
)
