"""The web tier: on each server nginx in front, and a place for the application behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from components.remote import Host, RemoteFile, RemoteScript
from components.render import render
from components.server import Server, local_hints
from components.settings import Settings

PACKAGES = ("nginx-light", "python3-venv")
# uv makes the virtual environments of releases. Pinned, in a folder of its own.
UV_VERSION = "0.13.8"
AFTER_PACKAGES = (
    f"/opt/slipway/bin/uv --version 2>/dev/null | grep -qF 'uv {UV_VERSION}' || {{"
    ' echo "packages: installing uv";'
    f" python3 -m venv /opt/slipway && /opt/slipway/bin/pip install -q 'uv=={UV_VERSION}'; }}",
)
RELEASECTL = Path(__file__).resolve().parent.parent / "host" / "releasectl"


@dataclass(frozen=True, kw_only=True)
class Application:
    """What the servers have to know of the application; the same on each."""

    name: str
    module: str
    port: int
    static_folder: str
    workers: int
    release_command: str
    health_path: str
    health_seconds: int
    drain_seconds: int
    keep_releases: int

    @classmethod
    def of(cls, settings: Settings) -> Application:
        return cls(
            name=settings.app_name,
            module=settings.app_module,
            port=settings.web_port,
            static_folder=settings.static_folder,
            workers=settings.workers,
            release_command=settings.release_command,
            health_path=settings.health_path,
            health_seconds=settings.health_seconds,
            drain_seconds=settings.drain_seconds,
            keep_releases=settings.keep_releases,
        )

    @property
    def root(self) -> str:
        """The folder of its releases on a server."""
        return f"/srv/{self.name}"

    @property
    def configuration(self) -> str:
        """The folder of its configuration on a server."""
        return f"/etc/slipway/{self.name}"


@dataclass(frozen=True, kw_only=True)
class WebArgs:
    application: Application
    servers: Sequence[Server]
    environment: Mapping[str, pulumi.Input[str]]
    """Environment variables of the application; may hold secrets."""


class Web(pulumi.ComponentResource):
    """Servers ready for releases; `configured` holds, for each, what a release waits for."""

    hosts: list[Host]
    configured: list[list[pulumi.Resource]]
    digests: list[pulumi.Output[str]]
    """For each server, a digest of all that a running instance is made from besides its code."""

    def __init__(
        self, name: str, args: WebArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Web", name, None, opts)
        self.hosts, self.configured, self.digests = [], [], []
        for server in args.servers:
            self._configure(server, args)
        self.register_outputs({})

    def _configure(self, server: Server, args: WebArgs) -> None:
        host, app = server.host, args.application
        values: dict[str, Any] = {
            "app": app.name,
            "root": app.root,
            "configuration": app.configuration,
            "module": app.module,
            "port": app.port,
            "static_folder": app.static_folder,
            "workers": app.workers,
            "health_seconds": app.health_seconds,
            "drain_seconds": app.drain_seconds,
        }
        prepared = RemoteScript(
            f"{host.name}-prepare",
            host=host,
            script=render("prepare_app.sh", **values),
            opts=host.options(self, depends_on=[server.ready]),
        )
        after_prepared = host.options(self, depends_on=[prepared])

        site = RemoteFile(
            f"{host.name}-nginx",
            host=host,
            path=f"/etc/nginx/sites-available/{app.name}",
            content=render("nginx-site.conf", **values),
            check=f"ln -sfn ../sites-available/{app.name} /etc/nginx/sites-enabled/{app.name}"
            " && nginx -t -q",
            then="systemctl reload nginx",
            opts=after_prepared,
        )
        unit = RemoteFile(
            f"{host.name}-unit",
            host=host,
            path=f"/etc/systemd/system/{app.name}@.service",
            content=render("app@.service", **values),
            then="systemctl daemon-reload",
            opts=after_prepared,
        )
        gunicorn = RemoteFile(
            f"{host.name}-gunicorn",
            host=host,
            path=f"{app.configuration}/gunicorn.conf.py",
            content=render("gunicorn.conf.py", **values),
            check=f"python3 -m py_compile {app.configuration}/gunicorn.conf.py",
            opts=after_prepared,
        )
        sockets = RemoteFile(
            f"{host.name}-sockets",
            host=host,
            path=f"/etc/tmpfiles.d/{app.name}.conf",
            content=render("tmpfiles.conf", **values),
            then=f"systemd-tmpfiles --create {app.name}.conf",
            opts=after_prepared,
        )
        environment = RemoteFile(
            f"{host.name}-environment",
            host=host,
            path=f"{app.configuration}/env",
            content=pulumi.Output.secret(
                pulumi.Output.all(**args.environment).apply(environment_file)
            ),
            mode="0600",
            opts=after_prepared,
        )
        settings = RemoteFile(
            f"{host.name}-releasectl-settings",
            host=host,
            path=f"{app.configuration}/app.json",
            content=releasectl_settings(app),
            opts=after_prepared,
        )
        releasectl = RemoteFile(
            f"{host.name}-releasectl",
            host=host,
            path="/usr/local/bin/releasectl",
            content=RELEASECTL.read_text(),
            mode="0755",
            check="python3 /usr/local/bin/releasectl --help",
            opts=after_prepared,
        )
        self.hosts.append(host)
        self.configured.append([site, unit, gunicorn, sockets, environment, settings, releasectl])
        self.digests.append(
            pulumi.Output.all(unit.digest, gunicorn.digest, environment.digest).apply(
                lambda digests: "".join(digest[:4] for digest in digests)
            )
        )


def servers_of(settings: Settings) -> list[tuple[str, list[str]]]:
    """Names of the web servers (web, web-2, web-3, ...) with their hints for the local cloud."""
    first = settings.local_web_address
    return [
        (
            "web" if number == 0 else f"web-{number + 1}",
            local_hints(
                address=first + number if first else 0,
                forward=(0 if number else settings.local_web_port, settings.web_port),
            ),
        )
        for number in range(settings.web_count)
    ]


def url_of(settings: Settings, servers: Sequence[Server]) -> pulumi.Output[str]:
    """Where a visitor finds the site: the forwarded port if there is one, else the first server."""
    if settings.local_web_port:
        return pulumi.Output.from_input(f"http://127.0.0.1:{settings.local_web_port}/")
    port = "" if settings.web_port == 80 else f":{settings.web_port}"
    return pulumi.Output.concat("http://", servers[0].address, f"{port}/")


def environment_file(variables: Mapping[str, str]) -> str:
    """Lines for systemd's EnvironmentFile=, each value in double quotes (systemd.exec(5))."""
    lines = []
    for key, value in sorted(variables.items()):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
        quoted = quoted.replace("`", "\\`")
        lines.append(f'{key}="{quoted}"\n')
    return "".join(lines)


def releasectl_settings(app: Application) -> str:
    """What `host/releasectl` reads from app.json."""
    settings = {
        "health_path": app.health_path,
        "health_status": 200,
        "health_seconds": app.health_seconds,
        "drain_seconds": app.drain_seconds,
        "keep": app.keep_releases,
        "port": app.port,
        "release_command": app.release_command,
        "module": app.module,
    }
    return json.dumps(settings, indent=2, sort_keys=True) + "\n"
