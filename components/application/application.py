"""The application with its settings, and the files that are rendered from them; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from components.app_servers.registry import import_first, instance_files
from components.core import ports
from components.core.paths import SLIPWAY_FOLDER, configuration_folder, root_folder
from components.core.put_file import ServerFile
from components.core.render import render
from components.servers.distributions.distribution import Distribution
from components.settings import location
from components.settings.declaration import declared_in
from components.settings.location import Location
from components.settings.settings import Settings
from components.settings.tls import HTTPS_OFF, Tls, certified_names

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
    is_first: bool = True
    """Whether it is the site that also answers to all names that no other site has."""
    web_user: str = "www-data"
    """Who nginx runs as."""
    tls: Tls = HTTPS_OFF

    #: What a CA asks for, and how TLS is spoken: included by nginx's files of all sites.
    CHALLENGE_FILE: ClassVar[str] = f"{SLIPWAY_FOLDER}/acme-challenge.conf"
    TLS_FILE: ClassVar[str] = f"{SLIPWAY_FOLDER}/tls.conf"

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
        names = (*self.settings.server_names, "localhost")
        # For a wildcard, any name will do.
        return self.settings.health_host or names[0].replace("*", "any")

    @property
    def https(self) -> bool:
        """Whether it is served over HTTPS."""
        return self.name in self.tls.certified

    @property
    def tls_folder(self) -> str:
        """The folder of its certificate on a server."""
        return f"{self.configuration}/tls"

    @property
    def tls_here(self) -> bool:
        """Whether that ends at nginx."""
        return self.https and self.tls.ends_at_servers

    @property
    def once_served_over_https(self) -> str:
        """What nginx does once visitors get a certificate that browsers accept."""
        return render("https.conf", **self.values)

    @property
    def values(self) -> dict[str, Any]:
        """The variables of templates: the settings by name, and what is derived from them."""
        return {
            **{name: value for name, value in self.settings if name not in _SECRET},
            "app": self.name,
            "module": self.module,
            "is_first": self.is_first,
            "https": self.https,
            "refuses_unknown_names": self.is_first and self.tls.ends_at_servers,
            # One file for a certificate of one's own: it never fits another key than its own.
            "chain_name": "own.pem" if self.tls.mode == "own" else "chain.pem",
            "key_name": "own.pem" if self.tls.mode == "own" else "key.pem",
            "asked_by_ca": self.tls.mode == "servers",
            "stand_in": f"{configuration_folder(self.tls.certified[0])}/tls"
            if self.tls.certified
            else "",
            "hsts": self.tls.hsts,
            "certified_names": certified_names(self.settings),
            "https_port": f":{self.settings.local_tls_port}"
            if self.settings.local_tls_port
            else "",
            "tls_here": self.tls_here,
            "tls_port": ports.HTTPS,
            "proxied_port": ports.PROXIED_HTTP,
            "proxied_tls_port": ports.PROXIED_HTTPS,
            "tls_file": self.TLS_FILE,
            "challenge_files": self.CHALLENGE_FILE.replace(".conf", "*.conf"),
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
    proxied: Mapping[str, str]
    """The same for what comes with the PROXY protocol; empty where nothing does."""
    instance: Sequence[ServerFile]
    """The files of an instance, except its release and its environment."""
    sockets: str
    maintenance: str
    releasectl: str

    @classmethod
    def of(cls, app: Application, servers: Mapping[str, Distribution]) -> ApplicationFiles:
        """Render them.

        Args:
            app: for which.
            servers: the systems of the web servers, by the servers' names.

        Raises:
            SlipwayError: naming the template that cannot be rendered.
        """
        values = app.values
        instance = instance_files({**values, "request_seconds": app.longest_request_seconds})
        return cls(
            prepare=render("prepare_app.sh", **values),
            nginx=_of_servers("nginx-site.conf", values, servers),
            proxied=_of_servers("nginx-proxied.conf", values, servers)
            if app.behind and app.tls_here
            else {},
            instance=instance,
            sockets=render("tmpfiles.conf", **values),
            maintenance=render("maintenance.html", **values),
            releasectl=releasectl_settings(app, instance),
        )


def _of_servers(
    template: str, values: Mapping[str, Any], servers: Mapping[str, Distribution]
) -> dict[str, str]:
    return {
        server: render(template, **values, server=server, nginx_version=system.nginx_version)
        for server, system in servers.items()
    }


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
