"""gunicorn: it comes with the application's own packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.app_servers.app_server import AppServer
from components.core.put_file import PutFile, ServerFile
from components.core.render import render


def _files(values: Mapping[str, Any]) -> list[ServerFile]:
    path = f"{values['configuration']}/gunicorn.conf.py"
    put = PutFile(path=path, site=values["app"], check=f"python3 -m py_compile {path}")
    return [ServerFile(name="gunicorn", put=put, content=render("gunicorn.conf.py", **values))]


GUNICORN = AppServer(
    name="gunicorn",
    packages={"debian": (), "rhel": ()},
    files=_files,
    fails_at_once=True,
    says_when_ready=True,
)
