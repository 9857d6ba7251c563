"""Apache with mod_wsgi, of Debian's packages without a service, which would take nginx's port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.app_servers.app_server import AppServer
from components.core import ports
from components.core.put_file import PutFile, ServerFile
from components.core.render import render


def _files(values: Mapping[str, Any]) -> list[ServerFile]:
    folder = values["configuration"]
    apache, script = f"{folder}/apache.conf", f"{folder}/app.wsgi"
    like_an_instance = (
        f"SLIPWAY_FOLDER={folder} SLIPWAY_INSTANCE=check SLIPWAY_WORKERS=1"
        f" SLIPWAY_ADDRESS=127.0.0.1:{ports.APACHE}"
    )
    return [
        ServerFile(
            name="apache",
            put=PutFile(
                path=apache,
                site=values["app"],
                check=f"{like_an_instance} apache2 -t -f {apache}",
            ),
            content=render("apache.conf", **values),
        ),
        ServerFile(
            name="wsgi",
            put=PutFile(
                path=script,
                site=values["app"],
                check=f'python3 -c \'compile(open("{script}").read(), "{script}", "exec")\'',
            ),
            content=render("app.wsgi", **values),
        ),
    ]


MOD_WSGI = AppServer(
    name="mod_wsgi",
    packages={"debian": ("apache2-bin", "libapache2-mod-wsgi-py3")},
    files=_files,
    interpreter="/bin/bash",
    says_when_ready=False,
    # Of setpriv, which `serve` uses, even when there is nothing to set.
    system_calls=("capset",),
    port=ports.APACHE,
)
