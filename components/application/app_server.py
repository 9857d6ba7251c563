"""How an instance runs: under which app server, and who keeps it running; pure.

An instance is made from the files here besides its release, so a change of one of them, or of the
choice between them, is rolled out as a new release is. In the configuration folder is what the next
instance gets; each instance has copies of its own, which never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.core import ports
from components.core.render import render

# Debian's packages. Those of Apache and uWSGI without a service of their own: neither may start by
# itself and take the site's port.
APP_SERVER_PACKAGES = {
    "gunicorn": (),  # comes with the application's own packages
    "uwsgi": ("uwsgi-core", "uwsgi-plugin-python3"),
    "mod_wsgi": ("apache2-bin", "libapache2-mod-wsgi-py3"),
}
SUPERVISOR_PACKAGES = {"systemd": (), "supervisor": ("supervisor",)}


@dataclass(frozen=True, kw_only=True)
class InstanceFile:
    """A file on a server; `check` and `then` as `RemoteFile` has them."""

    name: str
    path: str
    content: str
    mode: str = "0644"
    check: str = ""
    then: str = ""


def packages(used: Iterable[tuple[str, str]]) -> list[str]:
    """What a server needs for these pairs of app server and supervisor, each package once."""
    wanted = [
        package
        for app_server, supervisor in used
        for package in (*APP_SERVER_PACKAGES[app_server], *SUPERVISOR_PACKAGES[supervisor])
    ]
    return list(dict.fromkeys(wanted))


def instance_files(values: Mapping[str, Any]) -> list[InstanceFile]:
    """The files of the chosen app server and supervisor.

    Args:
        values: those of an `Application`, with `app`, `root` and `configuration`.

    Raises:
        SlipwayError: naming the template that is wrong.
    """
    values = {**values, "apache_port": ports.APACHE}
    serve = InstanceFile(
        name="serve",
        path=f"{values['configuration']}/serve",
        content=render(f"serve_{values['app_server']}.sh", **values),
        mode="0755",
    )
    return [
        *_APP_SERVERS[values["app_server"]](values),
        serve,
        *_SUPERVISORS[values["supervisor"]](values),
    ]


def _gunicorn(values: Mapping[str, Any]) -> list[InstanceFile]:
    path = f"{values['configuration']}/gunicorn.conf.py"
    content = render("gunicorn.conf.py", **values)
    check = f"python3 -m py_compile {path}"
    return [InstanceFile(name="gunicorn", path=path, content=content, check=check)]


def _uwsgi(values: Mapping[str, Any]) -> list[InstanceFile]:
    path = f"{values['configuration']}/uwsgi.ini"
    return [InstanceFile(name="uwsgi", path=path, content=render("uwsgi.ini", **values))]


def _mod_wsgi(values: Mapping[str, Any]) -> list[InstanceFile]:
    folder = values["configuration"]
    apache, script = f"{folder}/apache.conf", f"{folder}/app.wsgi"
    like_an_instance = (
        f"SLIPWAY_FOLDER={folder} SLIPWAY_INSTANCE=check SLIPWAY_WORKERS=1"
        f" SLIPWAY_ADDRESS=127.0.0.1:{ports.APACHE}"
    )
    return [
        InstanceFile(
            name="apache",
            path=apache,
            content=render("apache.conf", **values),
            check=f"{like_an_instance} apache2 -t -f {apache}",
        ),
        InstanceFile(
            name="wsgi",
            path=script,
            content=render("app.wsgi", **values),
            check=f'python3 -c \'compile(open("{script}").read(), "{script}", "exec")\'',
        ),
    ]


def _systemd(values: Mapping[str, Any]) -> list[InstanceFile]:
    return [
        InstanceFile(
            name="unit",
            path=f"{values['configuration']}/app.service",
            content=render("app.service", **values),
        )
    ]


def _supervisor(values: Mapping[str, Any]) -> list[InstanceFile]:
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


_APP_SERVERS = {"gunicorn": _gunicorn, "uwsgi": _uwsgi, "mod_wsgi": _mod_wsgi}
_SUPERVISORS = {"systemd": _systemd, "supervisor": _supervisor}
