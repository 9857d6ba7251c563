"""The settings of one environment: read once, checked whole, frozen.

The only module that reads the configuration. Types and defaults stand in Pulumi.yaml, which the
engine applies; here stand the ranges (setting_types.py), and cross_checks.py has what settings
say of each other. Every error names the key, the value and what is allowed, and is raised before
anything is created.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.settings import existing_host
from components.settings.existing_host import OwnHost
from components.settings.location import Location, Upload
from components.settings.types import (
    BucketEndpoint,
    BucketFolder,
    BucketName,
    CommandLine,
    Environment,
    Folder,
    FolderOrNone,
    HostKeys,
    HostNumber,
    HostOrNone,
    Image,
    Module,
    Name,
    Networks,
    OwnHostOrNone,
    OwnHosts,
    Port,
    PortOrNone,
    ReleaseId,
    Sites,
    Slug,
    StaticFolder,
    UrlPath,
    VariableName,
    VpcRange,
    matches,
)


class Settings(BaseModel):
    """Everything a person can choose for one environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    app_name: Name
    app_folder: Folder
    app_source: Annotated[str, matches(r"folder|sdist"), Field(description="folder or sdist")]
    app_module: Module
    app_env: Environment
    app_config_file: FolderOrNone
    app_config_variable: VariableName
    build_command: CommandLine
    release_command: CommandLine
    health_path: UrlPath
    health_status: Annotated[int, Field(ge=200, le=599, description="a status, 200 to 599")]
    health_host: HostOrNone
    health_seconds: Annotated[int, Field(ge=1, le=600, description="1 to 600 seconds")]
    release_command_seconds: Annotated[int, Field(ge=1, le=86400, description="1 to 86400 seconds")]
    release_command_lock_seconds: Annotated[
        int, Field(ge=0, le=3600, description="0 to 3600 seconds")
    ]
    warm_up_paths: Annotated[
        list[UrlPath], Field(max_length=20, description="at most 20 paths, each such as /products")
    ]
    steady_seconds: Annotated[int, Field(ge=0, le=600, description="0 to 600 seconds")]
    drain_seconds: Annotated[int, Field(ge=0, le=600, description="0 to 600 seconds")]
    app_server: Annotated[
        str, matches("gunicorn|uwsgi|mod_wsgi"), Field(description="gunicorn, uwsgi or mod_wsgi")
    ]
    supervisor: Annotated[
        str, matches("systemd|supervisor"), Field(description="systemd or supervisor")
    ]
    workers: Annotated[int, Field(ge=0, le=128, description="1 to 128, or 0 for 2 x cores + 1")]
    worker_threads: Annotated[int, Field(ge=1, le=256, description="1 to 256")]
    request_seconds: Annotated[int, Field(ge=1, le=3600, description="1 to 3600 seconds")]
    max_requests: Annotated[
        int, Field(ge=0, le=10_000_000, description="1 to 10000000, or 0 for never")
    ]
    static_folder: StaticFolder
    static_cache_seconds: Annotated[
        int, Field(ge=0, le=31_536_000, description="0 to 31536000 seconds (a year)")
    ]
    max_upload: Upload
    compression: Annotated[bool, Field(description="true or false")]
    locations: Annotated[
        list[Location],
        Field(description="a list of maps, each with a path (docs/static-content.md)"),
    ]
    release: ReleaseId
    keep_releases: Annotated[int, Field(ge=2, le=1000, description="2 to 1000")]
    artifact_bucket: BucketName
    artifact_endpoint: BucketEndpoint
    artifact_region: Annotated[
        str, matches(r"|[a-z0-9][a-z0-9-]*"), Field(description="a region's name, or empty")
    ]
    artifact_prefix: BucketFolder
    release_batch: Annotated[
        str,
        matches(r"[1-9][0-9]?|([1-9][0-9]?|100)%"),
        Field(description="a number of servers, 1 to 99, or a percentage, 1% to 100%"),
    ]
    settle_seconds: Annotated[int, Field(ge=5, le=3600, description="5 to 3600 seconds")]
    canary_seconds: Annotated[int, Field(ge=0, le=3600, description="0 to 3600 seconds")]
    start_one_by_one: Annotated[bool, Field(description="true or false")]
    revert_on_failure: Annotated[bool, Field(description="true or false")]
    name_prefix: Annotated[
        str,
        matches(r"|[a-z0-9][a-z0-9-]*"),
        Field(description="lower-case letters, digits and dashes, or empty"),
    ]
    region: Slug
    image: Image
    web_count: Annotated[int, Field(ge=1, le=50, description="1 to 50")]
    load_balancer: Annotated[bool, Field(description="true or false")]
    maintenance: Annotated[
        str, matches(r"[^\n\0]{0,500}"), Field(description="one line of at most 500 characters")
    ]
    web_size: Slug
    web_port: Port
    db_size: Slug
    db_connections: Annotated[int, Field(ge=20, le=10_000, description="20 to 10000")]
    backups: Annotated[bool, Field(description="true or false")]
    protect_database: Annotated[bool, Field(description="true or false")]
    web_hosts: OwnHosts
    db_host: OwnHostOrNone
    host_keys: HostKeys
    ssh_user: Annotated[str, matches(r"[a-z_][a-z0-9_-]*"), Field(description="a user's name")]
    ssh_key: Annotated[
        str, matches(r"[^\n\0]*"), Field(description="the path of a private key file, or empty")
    ]
    vpc_range: VpcRange
    sites: Sites
    connect_seconds: Annotated[int, Field(ge=1, le=3600, description="1 to 3600 seconds")]
    ssh_from: Networks
    http_from: Networks
    local_web_port: PortOrNone
    local_db_port: PortOrNone
    local_web_address: HostNumber
    local_db_address: HostNumber

    @property
    def app_path(self) -> Path:
        """The application's folder, or its package, on this machine."""
        return Path(self.app_folder)

    @property
    def app_names(self) -> list[str]:
        """Of all sites, this one first."""
        return [self.app_name, *(str(each.get("appName")) for each in self.sites)]

    @property
    def packages(self) -> Path:
        """Where unpacked packages of applications are kept on this machine."""
        return Path(os.environ.get("SLIPWAY_HOME", ".slipway")) / "packages"

    @property
    def web_servers(self) -> list[str]:
        """Their names in the stack: web, web-2, web-3, ..."""
        count = len(self.web_hosts) or self.web_count
        return ["web", *(f"web-{number}" for number in range(2, count + 1))]

    @property
    def own_hosts(self) -> dict[str, OwnHost]:
        """The servers that are there already, by their names in the stack; empty for droplets."""
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
    def balanced(self) -> bool:
        """Whether visitors come in through a load balancer of ours."""
        return not self.own_hosts and (self.load_balancer or self.web_count > 1)

    @property
    def db_from(self) -> list[str]:
        """Who may reach PostgreSQL besides the web servers: the forwarded port, when there is one.

        Its traffic comes from the private network's first address, which is the router's.
        """
        if not self.local_db_port:
            return []
        return [str(IPv4Network(self.vpc_range).network_address + 1)]
