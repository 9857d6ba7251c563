"""The application with its settings, and the files that are rendered from them; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.app_servers.registry import import_first, instance_files
from components.core.paths import configuration_folder, root_folder
from components.core.put_file import ServerFile
from components.core.render import render
from components.settings import location
from components.settings.declaration import declared_in
from components.settings.location import Location
from components.settings.settings import Settings

#: Settings that templates do not get, because they can contain secrets.
_SECRET = {each.name for each in declared_in(Settings) if each.said.secret}
_FOR_RELEASECTL = [each.name for each in declared_in(Settings) if each.said.releasectl]


@dataclass(frozen=True, kw_only=True)
class Application:
    """The same on every web server."""

    settings: Settings
    """Those of its site."""
    module: str
    """The WSGI callable: module:name."""
    server_names: tuple[str, ...] = ()
    """Its names; empty for the site that answers to all names that no other site has."""
    web_user: str = "www-data"
    """Who nginx runs as."""

    @property
    def name(self) -> str:
        return self.settings.app_name

    @property
    def behind(self) -> str:
        """The network whose X-Forwarded-For is trusted; empty if there is no load balancer."""
        return self.settings.vpc_range if self.settings.balanced else ""

    @property
    def locations(self) -> list[Location]:
        return location.with_static(self.settings.locations, self.settings.static_folder)

    @property
    def health_host(self) -> str:
        """The Host header of health checks: a name that the application answers to."""
        names = (*self.server_names, "localhost")
        # For a wildcard, any name will do.
        return self.settings.health_host or names[0].replace("*", "any")

    @property
    def values(self) -> dict[str, Any]:
        """The variables of templates: the settings by name, and what is derived from them."""
        return {
            **{name: value for name, value in self.settings if name not in _SECRET},
            "app": self.name,
            "module": self.module,
            "server_names": self.server_names,
            "web_user": self.web_user,
            "behind": self.behind,
            "locations": self.locations,
            "health_host": self.health_host,
            "root": self.root,
            "configuration": self.configuration,
        }

    @property
    def longest_request_seconds(self) -> int:
        """The limit for the app server; nginx has the limit of each path."""
        return max(
            self.settings.request_seconds,
            *(each.request_seconds or 0 for each in self.locations),
            0,
        )

    @property
    def is_first(self) -> bool:
        """Whether it is the site that the environment's own settings describe."""
        return not self.server_names

    @property
    def prefix(self) -> str:
        """Prefix of its resources' names; the first site has none."""
        return "" if self.is_first else f"{self.name}-"

    @property
    def root(self) -> str:
        """The folder of its releases on a server."""
        return root_folder(self.name)

    @property
    def configuration(self) -> str:
        """The folder of its configuration on a server."""
        return configuration_folder(self.name)

    @property
    def health(self) -> str:
        """A digest of the health check's request, which is part of an instance."""
        asked = (self.health_host, self.settings.health_path, self.settings.health_status)
        return hashlib.sha256(" ".join(map(str, asked)).encode()).hexdigest()

    def visit(self, http_from: Sequence[str]) -> dict[str, Any]:
        """How `cli/servers/visit.py` asks for it from outside, for the stack's outputs."""
        return {
            "host": self.health_host,
            "path": self.settings.health_path,
            "status": self.settings.health_status,
            "maintenance": bool(self.settings.maintenance),
            "balanced": bool(self.behind),
            "open": "0.0.0.0/0" in http_from,
        }

    @property
    def environment(self) -> str:
        """The file of its environment variables on a server."""
        return f"{self.configuration}/env"


@dataclass(frozen=True, kw_only=True)
class ApplicationFiles:
    """Its files on a server, all rendered before anything is changed."""

    prepare: str
    nginx: Mapping[str, str]
    """By the name of the server, because its answers name it."""
    instance: Sequence[ServerFile]
    """The files of an instance, except its release and its environment."""
    sockets: str
    maintenance: str
    releasectl: str

    @classmethod
    def of(cls, app: Application) -> ApplicationFiles:
        """Raises SlipwayError naming the template that cannot be rendered."""
        values, servers = app.values, app.settings.web_servers
        instance = instance_files({**values, "request_seconds": app.longest_request_seconds})
        return cls(
            prepare=render("prepare_app.sh", **values),
            nginx={each: render("nginx-site.conf", **values, server=each) for each in servers},
            instance=instance,
            sockets=render("tmpfiles.conf", **values),
            maintenance=render("maintenance.html", **values),
            releasectl=releasectl_settings(app, instance),
        )


def environment_file(variables: Mapping[str, str]) -> str:
    """Lines for systemd's EnvironmentFile=, each value in double quotes (systemd.exec(5))."""
    lines = []
    for key, value in sorted(variables.items()):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        quoted = quoted.replace("$", "\\$").replace("`", "\\`")
        lines.append(f'{key}="{quoted}"\n')
    return "".join(lines)


def releasectl_settings(app: Application, instance: Sequence[ServerFile]) -> str:
    """What `host/releasectl` reads from app.json."""
    wanted = app.settings
    settings = {name: getattr(wanted, name) for name in _FOR_RELEASECTL} | {
        # During maintenance the load balancer leads to the maintenance page.
        "balanced": bool(app.behind) and not wanted.maintenance,
        "health_host": app.health_host,
        "import_first": import_first(wanted.app_server, wanted.supervisor),
        "instance_files": [app.environment, *(file.put.path for file in instance)],
        "module": app.module,
    }
    return json.dumps(settings, indent=2, sort_keys=True) + "\n"
