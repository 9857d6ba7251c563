"""The application as the servers have to know it, and the files that this becomes; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from components.application.app_server import InstanceFile, instance_files
from components.core.paths import configuration_folder, root_folder
from components.core.render import render
from components.settings import location
from components.settings.location import Location
from components.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Application:
    """The same on every web server."""

    name: str
    module: str
    servers: tuple[str, ...]
    """The names of the web servers, as the stack calls them."""
    server_names: tuple[str, ...]
    """Names by which visitors ask for it; empty where it answers to all that no other site has."""
    port: int
    behind: str
    """The network from which a proxy's word on visitors is taken; empty where there is none."""
    locations: tuple[Location, ...]
    static_cache_seconds: int
    """Where a location says nothing else."""
    max_upload: str
    compression: bool
    maintenance: str
    """What visitors are told instead of seeing the site; empty for nothing."""
    app_server: str
    supervisor: str
    workers: int
    worker_threads: int
    request_seconds: int
    max_requests: int
    release_command: str
    release_command_seconds: int
    release_command_lock_seconds: int
    health_path: str
    health_status: int
    health_host: str
    """The name by which a check asks for its health: one that the application answers to."""
    health_seconds: int
    warm_up_paths: tuple[str, ...]
    steady_seconds: int
    drain_seconds: int
    keep_releases: int
    web_user: str
    """Who nginx runs as."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        module: str,
        web_user: str = "www-data",
        server_names: Sequence[str] = (),
    ) -> Application:
        return cls(
            name=settings.app_name,
            module=module,
            servers=tuple(settings.web_servers),
            server_names=tuple(server_names),
            port=settings.web_port,
            behind=settings.vpc_range if settings.balanced else "",
            locations=tuple(location.with_static(settings.locations, settings.static_folder)),
            static_cache_seconds=settings.static_cache_seconds,
            max_upload=settings.max_upload,
            compression=settings.compression,
            maintenance=settings.maintenance,
            app_server=settings.app_server,
            supervisor=settings.supervisor,
            workers=settings.workers,
            worker_threads=settings.worker_threads,
            request_seconds=settings.request_seconds,
            max_requests=settings.max_requests,
            release_command=settings.release_command,
            release_command_seconds=settings.release_command_seconds,
            release_command_lock_seconds=settings.release_command_lock_seconds,
            health_path=settings.health_path,
            health_status=settings.health_status,
            # Of a wildcard any name will do.
            health_host=settings.health_host or (*server_names, "localhost")[0].replace("*", "any"),
            health_seconds=settings.health_seconds,
            warm_up_paths=tuple(settings.warm_up_paths),
            steady_seconds=settings.steady_seconds,
            drain_seconds=settings.drain_seconds,
            keep_releases=settings.keep_releases,
            web_user=web_user,
        )

    @property
    def longest_request_seconds(self) -> int:
        """What the app server has to allow; how much of it where, nginx knows."""
        return max(self.request_seconds, *(each.request_seconds or 0 for each in self.locations), 0)

    @property
    def is_first(self) -> bool:
        """Whether it is the site of the environment's own settings."""
        return not self.server_names

    @property
    def prefix(self) -> str:
        """Before the names of its resources; those of the first site have none."""
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
        """A digest of how it is asked for its health, which an instance is proven with."""
        asked = f"{self.health_host} {self.health_path} {self.health_status}"
        return hashlib.sha256(asked.encode()).hexdigest()

    def visit(self, http_from: Sequence[str]) -> dict[str, Any]:
        """How `scripts/commands/visit.py` asks for it from outside, for the stack's outputs."""
        return {
            "host": self.health_host,
            "path": self.health_path,
            "status": self.health_status,
            "maintenance": bool(self.maintenance),
            "balanced": bool(self.behind),
            "open": "0.0.0.0/0" in http_from,
        }

    @property
    def environment(self) -> str:
        """The file of its environment variables on a server."""
        return f"{self.configuration}/env"


@dataclass(frozen=True, kw_only=True)
class ApplicationFiles:
    """The contents of its files on a server, all rendered before anything is made."""

    prepare: str
    nginx: Mapping[str, str]
    """By the name of the server, for its answers say which one it was."""
    instance: Sequence[InstanceFile]
    """What an instance is made from, besides its release and its environment."""
    sockets: str
    maintenance: str
    releasectl: str

    @classmethod
    def of(cls, app: Application) -> ApplicationFiles:
        """Raises SlipwayError naming the template that is wrong."""
        places = {"root": app.root, "configuration": app.configuration}
        values = asdict(app) | places | {"app": app.name}
        instance = instance_files({**values, "request_seconds": app.longest_request_seconds})
        return cls(
            prepare=render("prepare_app.sh", **values),
            nginx={each: render("nginx-site.conf", **values, server=each) for each in app.servers},
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


def releasectl_settings(app: Application, instance: Sequence[InstanceFile]) -> str:
    """What `host/releasectl` reads from app.json."""
    settings = {
        "health_path": app.health_path,
        "health_status": app.health_status,
        "health_seconds": app.health_seconds,
        "steady_seconds": app.steady_seconds,
        "drain_seconds": app.drain_seconds,
        "keep": app.keep_releases,
        "port": app.port,
        "host": app.health_host,
        # In maintenance visitors, who come by the load balancer, get the page.
        "balanced": bool(app.behind) and not app.maintenance,
        "warm_up_paths": list(app.warm_up_paths),
        "workers": app.workers,
        "release_command": app.release_command,
        "release_lock_seconds": app.release_command_lock_seconds,
        "release_seconds": app.release_command_seconds,
        "module": app.module,
        "supervisor": app.supervisor,
        # Where it cannot be, gunicorn under systemd says so itself; all others start first.
        "import_first": (app.app_server, app.supervisor) != ("gunicorn", "systemd"),
        "instance_files": [app.environment, *(file.path for file in instance)],
    }
    return json.dumps(settings, indent=2, sort_keys=True) + "\n"
