"""supervisor: each instance is a program of supervisord, which systemd runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.app_servers.app_server import InstanceFile, ProcessManager
from components.core.render import render


def _files(values: Mapping[str, Any]) -> list[InstanceFile]:
    folder = values["configuration"]
    return [
        InstanceFile(
            name="program", path=f"{folder}/program.conf", content=render("program.conf", **values)
        ),
        InstanceFile(
            name="supervise",
            path=f"{folder}/supervise",
            content=render("supervise.sh", **values),
            mode="0755",
        ),
        InstanceFile(
            name="supervisor",
            path="/etc/systemd/system/supervisor.service.d/slipway.conf",
            content=render("supervisor.service.conf"),
            then="systemctl daemon-reload && systemctl enable --quiet --now supervisor",
        ),
    ]


SUPERVISOR = ProcessManager(name="supervisor", packages={"debian": ("supervisor",)}, files=_files)
