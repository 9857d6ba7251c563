"""Settings of servers and of their network."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.settings.declaration import (
    IN_PLACE,
    INTERRUPTS,
    LATER,
    NEW_SERVERS,
    ONE_BY_ONE,
    REFUSED,
    TAKEN_OVER,
    Setting,
)
from components.settings.section import Section
from components.settings.types import (
    ExistingHostOrNone,
    ExistingHosts,
    Flag,
    HostKeys,
    HostNumber,
    Image,
    Networks,
    Port,
    PortOrNone,
    Slug,
    VpcRange,
    between,
    matches,
)


class ServerSettings(Section):
    """Servers."""

    name_prefix: Annotated[
        str,
        matches(r"|[a-z0-9][a-z0-9-]*"),
        Field(description="lower-case letters, digits and dashes, or empty"),
        Setting("Prefix of the names of the servers, such as dev-", IN_PLACE),
    ] = ""
    region: Annotated[Slug, Setting("DigitalOcean region", REFUSED)] = "fra1"
    image: Annotated[
        Image, Setting("Image of the servers - debian-12-x64 or debian-13-x64", NEW_SERVERS)
    ] = "debian-12-x64"
    web_count: Annotated[int, between(1, 50), Setting("Number of web servers", IN_PLACE)] = 1
    load_balancer: Annotated[
        Flag,
        Setting(
            "Use a load balancer even for one web server (several always have one)",
            IN_PLACE,
        ),
    ] = False
    maintenance: Annotated[
        str,
        matches(r"[^\n\0]{0,500}"),
        Field(description="one line of at most 500 characters"),
        Setting(
            "Message of the maintenance page that replaces the site (status 503); empty for none",
            IN_PLACE,
            TAKEN_OVER,
        ),
    ] = ""
    reserved_ip: Annotated[
        Flag,
        Setting(
            "Give the only web server an address that a server made anew keeps (reserved IP)",
            IN_PLACE,
        ),
    ] = False
    web_size: Annotated[Slug, Setting("Size of each web server", ONE_BY_ONE)] = "s-1vcpu-1gb"
    web_port: Annotated[Port, Setting("Port that nginx listens on", IN_PLACE, releasectl=True)] = 80
    db_size: Annotated[Slug, Setting("Size of the database server", INTERRUPTS)] = "s-1vcpu-1gb"
    db_connections: Annotated[
        int,
        between(20, 10_000),
        Setting(
            "Maximum connections of PostgreSQL; during a release, old and new one hold theirs",
            INTERRUPTS,
        ),
    ] = 500
    backups: Annotated[Flag, Setting("Weekly droplet backups by DigitalOcean", IN_PLACE)] = False
    protect_database: Annotated[
        Flag,
        Setting(
            "Refuse whatever would destroy or replace the database server, except in the "
            "environment local",
            LATER,
        ),
    ] = True


class OwnServerSettings(Section):
    """Your own servers, instead of droplets."""

    web_hosts: Annotated[
        ExistingHosts,
        Setting(
            "Your own web servers - [user@]address[:port] [private=address]; empty for droplets",
            IN_PLACE,
        ),
    ] = []
    db_host: Annotated[
        ExistingHostOrNone,
        Setting("Your own database server, in the same form; empty for a droplet", REFUSED),
    ] = ""
    host_keys: Annotated[
        HostKeys,
        Setting(
            "Host keys of your own servers - address and key or SHA256 fingerprint "
            "(scripts/trust-hosts writes them)",
            LATER,
        ),
    ] = []
    ssh_user: Annotated[
        str,
        matches(r"[a-z_][a-z0-9_-]*"),
        Field(description="a user's name"),
        Setting(
            "User for bootstrapping your own servers - root, or one with passwordless sudo",
            LATER,
        ),
    ] = "root"
    ssh_key: Annotated[
        str,
        matches(r"[^\n\0]*"),
        Field(description="the path of a private key file, or empty"),
        Setting("File with that user's private key; empty for the default of ssh", LATER),
    ] = ""


class NetworkSettings(Section):
    """Network."""

    vpc_range: Annotated[
        VpcRange, Setting("Private network of the environment, in CIDR form (/16 to /28)", REFUSED)
    ] = "10.20.0.0/24"
    connect_seconds: Annotated[
        int,
        between(1, 3600, "seconds"),
        Setting("How long an update keeps trying to reach a server, in seconds", LATER),
    ] = 60
    ssh_from: Annotated[
        Networks, Setting("Networks that may reach SSH, in CIDR form", IN_PLACE)
    ] = ["0.0.0.0/0"]
    http_from: Annotated[
        Networks, Setting("Networks that may reach the site, in CIDR form", IN_PLACE)
    ] = ["0.0.0.0/0"]


class LocalSettings(Section):
    """Local cloud only (elsewhere these are harmless tags on the droplets)."""

    local_web_port: Annotated[
        PortOrNone,
        Setting("Port of 127.0.0.1 forwarded to the first web server; 0 for none", IN_PLACE),
    ] = 0
    local_tls_port: Annotated[
        PortOrNone,
        Setting("Port of 127.0.0.1 forwarded to the same server for HTTPS; 0 for none", IN_PLACE),
    ] = 0
    local_db_port: Annotated[
        PortOrNone, Setting("Port of 127.0.0.1 forwarded to PostgreSQL; 0 for none", IN_PLACE)
    ] = 0
    local_web_address: Annotated[
        HostNumber,
        Setting("Host number of the first web server in the private network; 0 for any", IN_PLACE),
    ] = 0
    local_db_address: Annotated[
        HostNumber,
        Setting("Host number of the database server in the private network; 0 for any", IN_PLACE),
    ] = 0
