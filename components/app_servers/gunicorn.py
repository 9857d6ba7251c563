"""gunicorn: it comes with the application's own packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.app_servers.app_server import AppServer, InstanceFile
from components.core.render import render


def _files(values: Mapping[str, Any]) -> list[InstanceFile]:
    path = f"{values['configuration']}/gunicorn.conf.py"
    content = render("gunicorn.conf.py", **values)
    check = f"python3 -m py_compile {path}"
    return [InstanceFile(name="gunicorn", path=path, content=content, check=check)]


GUNICORN = AppServer(
    name="gunicorn",
    packages={"debian": (), "rhel": ()},
    files=_files,
    fails_at_once=True,
    says_when_ready=True,
)
