"""The settings of one environment, frozen.

Each is declared in a section: application_settings.py, release_settings.py, https_settings.py,
server_settings.py.
They are loaded and validated by load.py and cross_checks.py.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from pathlib import Path

from components.settings import existing_host
from components.settings.application_settings import ApplicationSettings
from components.settings.existing_host import ExistingHost
from components.settings.https_settings import HttpsSettings
from components.settings.release_settings import ReleaseSettings
from components.settings.section import Section
from components.settings.server_settings import (
    LocalSettings,
    NetworkSettings,
    OwnServerSettings,
    ServerSettings,
)

#: In the order of Pulumi.yaml and of the README.
SECTIONS: tuple[type[Section], ...] = (
    ApplicationSettings,
    ReleaseSettings,
    HttpsSettings,
    ServerSettings,
    OwnServerSettings,
    NetworkSettings,
    LocalSettings,
)


class Settings(
    ApplicationSettings,
    ReleaseSettings,
    HttpsSettings,
    ServerSettings,
    OwnServerSettings,
    NetworkSettings,
    LocalSettings,
):
    """All settings of one environment."""

    @property
    def app_path(self) -> Path:
        """The application's folder, or its package, on this machine."""
        return Path(self.app_folder)

    @property
    def app_names(self) -> list[str]:
        """Application names of all sites, this one first."""
        return [self.app_name, *(str(each.get("appName")) for each in self.sites)]

    @property
    def packages(self) -> Path:
        """Folder on this machine for unpacked packages of applications."""
        return Path(os.environ.get("SLIPWAY_HOME", ".slipway")) / "packages"

    @property
    def web_servers(self) -> list[str]:
        """Their names in the stack: web, web-2, web-3, ..."""
        count = len(self.web_hosts) or self.web_count
        return ["web", *(f"web-{number}" for number in range(2, count + 1))]

    @property
    def own_hosts(self) -> dict[str, ExistingHost]:
        """Existing servers by their names in the stack; empty for droplets."""
        if not self.db_host:
            return {}
        named = zip(["db", *self.web_servers], [self.db_host, *self.web_hosts], strict=True)
        return {name: existing_host.parse(text) for name, text in named}

    @property
    def db_clients(self) -> list[str]:
        """The networks from which the application reaches PostgreSQL, in CIDR form."""
        web = [host for name, host in self.own_hosts.items() if name != "db"]
        return [f"{host.private_address}/32" for host in web] or [self.vpc_range]

    @property
    def may_have_https(self) -> bool:
        """Whether a site has a name, and HTTPS is not switched off."""
        named = [self.server_names, *(each.get("serverNames") for each in self.sites)]
        return self.tls != "off" and any(named)

    @property
    def balanced(self) -> bool:
        """Whether the environment has a load balancer."""
        return not self.own_hosts and (self.load_balancer or self.web_count > 1)

    @property
    def db_from(self) -> list[str]:
        """Addresses besides the web servers that may reach PostgreSQL: that of a forwarded port.

        Forwarded traffic comes from the private network's first address, the gateway.
        """
        if not self.local_db_port:
            return []
        return [str(IPv4Network(self.vpc_range).network_address + 1)]
