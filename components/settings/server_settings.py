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
        Setting("Put before the names of the servers, such as dev-", IN_PLACE),
    ] = ""
    region: Annotated[Slug, Setting("DigitalOcean region", REFUSED)] = "fra1"
    image: Annotated[
        Image, Setting("Image of the servers - debian-12-x64 or debian-13-x64", NEW_SERVERS)
    ] = "debian-12-x64"
    web_count: Annotated[int, between(1, 50), Setting("Number of web servers", IN_PLACE)] = 1
    load_balancer: Annotated[
        Flag,
        Setting(
            "A load balancer in front also of one web server (of several there always is one)",
            IN_PLACE,
        ),
    ] = False
    maintenance: Annotated[
        str,
        matches(r"[^\n\0]{0,500}"),
        Field(description="one line of at most 500 characters"),
        Setting(
            "Message of the page that visitors get instead of the site (status 503); empty for "
            "none",
            IN_PLACE,
            TAKEN_OVER,
        ),
    ] = ""
    web_size: Annotated[Slug, Setting("Size of each web server", ONE_BY_ONE)] = "s-1vcpu-1gb"
    web_port: Annotated[Port, Setting("Port that nginx listens on", IN_PLACE, releasectl=True)] = 80
    db_size: Annotated[Slug, Setting("Size of the database server", INTERRUPTS)] = "s-1vcpu-1gb"
    db_connections: Annotated[
        int,
        between(20, 10_000),
        Setting(
            "How many connections PostgreSQL takes; during a release old and new one hold theirs",
            INTERRUPTS,
        ),
    ] = 500
    backups: Annotated[Flag, Setting("Weekly droplet backups by DigitalOcean", IN_PLACE)] = False
    protect_database: Annotated[
        Flag,
        Setting(
            "Refuse whatever would destroy or replace the database server, but for the "
            "environment local",
            LATER,
        ),
    ] = True


class OwnServerSettings(Section):
    """Servers of one's own, instead of droplets."""

    web_hosts: Annotated[
        ExistingHosts,
        Setting(
            "Web servers of your own - [user@]address[:port] [private=address]; empty for droplets",
            IN_PLACE,
        ),
    ] = []
    db_host: Annotated[
        ExistingHostOrNone,
        Setting("Database server of your own, in the same form; empty for a droplet", REFUSED),
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
            "User of the first login to a server of your own - root, or one with sudo and "
            "no password",
            LATER,
        ),
    ] = "root"
    ssh_key: Annotated[
        str,
        matches(r"[^\n\0]*"),
        Field(description="the path of a private key file, or empty"),
        Setting("File of the private key of that user; empty for what ssh itself uses", LATER),
    ] = ""


class NetworkSettings(Section):
    """Network."""

    vpc_range: Annotated[
        VpcRange, Setting("Private network of the environment, in CIDR form (/16 to /28)", REFUSED)
    ] = "10.20.0.0/24"
    connect_seconds: Annotated[
        int,
        between(1, 3600, "seconds"),
        Setting(
            "How long an update tries to reach a server that does not answer, in seconds", LATER
        ),
    ] = 60
    ssh_from: Annotated[
        Networks, Setting("Networks that may reach SSH, in CIDR form", IN_PLACE)
    ] = ["0.0.0.0/0"]
    http_from: Annotated[
        Networks, Setting("Networks that may reach the site, in CIDR form", IN_PLACE)
    ] = ["0.0.0.0/0"]


class LocalSettings(Section):
    """The local cloud only (elsewhere they are harmless labels on the droplets)."""

    local_web_port: Annotated[
        PortOrNone,
        Setting("Port of 127.0.0.1 that leads to the first web server; 0 for none", IN_PLACE),
    ] = 0
    local_db_port: Annotated[
        PortOrNone, Setting("Port of 127.0.0.1 that leads to PostgreSQL; 0 for none", IN_PLACE)
    ] = 0
    local_web_address: Annotated[
        HostNumber,
        Setting(
            "Wanted number of the first web server in the private network; 0 for any", IN_PLACE
        ),
    ] = 0
    local_db_address: Annotated[
        HostNumber,
        Setting("Wanted number of the database server in the private network; 0 for any", IN_PLACE),
    ] = 0
