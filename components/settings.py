"""The settings of one environment: read once, checked whole, frozen.

The only module that reads the configuration. Types and defaults stand in Pulumi.yaml, which the
engine applies; here stand the ranges and the relations between settings. Every error names the key,
the value and what is allowed, and is raised before anything is created.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import pulumi
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from components import location, own_host
from components.app_server import APACHE_PORT
from components.errors import SlipwayError
from components.location import Location, Upload
from components.own_host import OwnHost


def _matches(pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return AfterValidator(check)


def _check_network(value: str) -> str:
    ipaddress.IPv4Network(value)
    return value


def _check_vpc_range(value: str) -> str:
    network = IPv4Network(value)
    if not (16 <= network.prefixlen <= 28 and network.is_private):
        raise ValueError
    return value


def _check_folder(value: str) -> str:
    folder = PurePosixPath(value)
    if folder.is_absolute() or ".." in folder.parts:
        raise ValueError
    return value


def _check_own_host(value: str) -> str:
    own_host.parse(value)
    return value


def _check_own_host_or_none(value: str) -> str:
    return _check_own_host(value) if value else value


# Users, groups, units, databases and folders of /run that a server has already: an application of
# that name would get their rights, or take their place.
_TAKEN_NAMES = """
    adm audio autovt backup bin cdrom container credentials daemon dbus debian deploy dialout dip
    disk fax floppy games getty gnats home host initctl input irc kmem kvm list lock log lp mail
    man messagebus modprobe mount network news nginx nobody nogroup none operator plugdev postgres
    postgresql proxy public render root sasl serial shadow shm slipway src ssh sshd staff sudo sync
    sys systemd tape tmp tty udev user users utmp uucp var video voice x11 template0 template1
"""


def _check_free_name(value: str) -> str:
    if value in _TAKEN_NAMES.split():
        raise ValueError
    return value


# Variables of an application that are not for a setting to say: ours, systemd's, and those that
# decide which programs and libraries run.
_TAKEN_VARIABLES = r"DATABASE_URL|PATH|HOME|PYTHONHOME|(SLIPWAY|LD|LISTEN|NOTIFY)_.*"


def _check_environment(values: Any) -> dict[str, str]:
    """Variables with their values as text. What is said of a wrong one never shows its value."""
    if not isinstance(values, dict):
        raise _said("must be a map of names and values")
    for name, value in values.items():
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            raise _said(
                f"has the name {name!r}: must be capital letters, digits and _, not a digit first"
            )
        if re.fullmatch(_TAKEN_VARIABLES, name):
            raise _said(f"has the name {name}, which is taken: must be another one")
        if not isinstance(value, str | int | float):
            raise _said(f"has for {name} no plain value: must be text, a number, true or false")
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", str(value)):  # systemd would leave it out
            raise _said(f"has for {name} a control character: must be text, its lines ended by LF")
    return {name: _text_of(value) for name, value in values.items()}


def _check_sites(values: Any) -> Any:
    """Only their form (components/site.py has the rest): what is said never shows their secrets."""
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise _said("must be a list of maps, each with an appName and serverNames")
    return values


def _text_of(value: str | float) -> str:
    """As the person wrote it: true, not True."""
    return value if isinstance(value, str) else json.dumps(value)


def _said(words: str) -> PydanticCustomError:
    """An error with words of its own; a brace in them is no field to be filled in."""
    return PydanticCustomError("said", "{words}", {"words": words})


# Each type says in its description what is allowed: errors quote it.
Name = Annotated[
    str,
    _matches(r"[a-z][a-z0-9]{0,23}"),
    AfterValidator(_check_free_name),
    Field(
        description="1 to 24 lower-case letters and digits, starting with a letter,"
        " and no name that a Debian server uses itself"
    ),
]
Module = Annotated[
    str,
    _matches(r"|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\(\))?"),
    Field(description="module:name, such as wsgi:app, or empty to have it found"),
]
Slug = Annotated[str, _matches(r"[a-z0-9][a-z0-9-]*"), Field(description="a DigitalOcean slug")]
Image = Annotated[
    str,
    _matches(r"debian-1[23]-x64"),
    Field(description="debian-12-x64 or debian-13-x64"),
]
ReleaseId = Annotated[
    str,
    _matches(r"|[0-9a-f]{12}"),
    Field(description="12 hexadecimal digits, as listed by scripts/releases, or empty"),
]
UrlPath = Annotated[
    str,
    _matches(r"/[\w./~-]*"),
    Field(description="a path such as /healthz"),
]
Folder = Annotated[
    str,
    AfterValidator(_check_folder),
    Field(description="a folder below, without '..'"),
]
FolderOrNone = Annotated[
    str,
    AfterValidator(_check_folder),
    Field(description="a path below, without '..', or empty"),
]
StaticFolder = Annotated[
    str,
    _matches(r"|[\w-][\w.-]*(/[\w-][\w.-]*)*"),
    Field(description="a folder inside the application, or empty"),
]
Environment = Annotated[
    dict[str, str],
    BeforeValidator(_check_environment),
    Field(description="a map of variables", repr=False),
]
CommandLine = Annotated[str, _matches(r"[^\n\0]*"), Field(description="one command line, or empty")]
Port = Annotated[int, Field(ge=1, le=65535, description="a port, 1 to 65535")]
PortOrNone = Annotated[int, Field(ge=0, le=65535, description="a port, 1 to 65535, or 0 for none")]
HostNumber = Annotated[int, Field(ge=0, le=250, description="2 to 250, or 0 for any")]
Networks = Annotated[
    list[Annotated[str, AfterValidator(_check_network)]],
    Field(min_length=1, description="one IPv4 network or more in CIDR form, as 203.0.113.0/24"),
]
VpcRange = Annotated[
    str,
    AfterValidator(_check_vpc_range),
    Field(description="a private IPv4 network from /16 to /28, such as 10.20.0.0/24"),
]


BucketName = Annotated[
    str,
    _matches(r"|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    Field(description="3 to 63 lower-case letters, digits, dots and dashes, or empty"),
]
BucketEndpoint = Annotated[
    str,
    _matches(r"|https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?"),
    Field(description="an address such as https://fra1.digitaloceanspaces.com, or empty for AWS"),
]
BucketFolder = Annotated[
    str,
    _matches(r"|[\w-][\w.-]*(/[\w-][\w.-]*)*"),
    Field(description="a folder such as team/site, or empty"),
]
OwnHosts = Annotated[
    list[Annotated[str, AfterValidator(_check_own_host)]],
    Field(description=f"a list, each of the form {own_host.ALLOWED}"),
]
HostKeys = Annotated[
    list[
        Annotated[
            str,
            _matches(r"\S+ (SHA256:[A-Za-z0-9+/]{43}|(ssh-ed25519|ecdsa-sha2-nistp\d+) \S+( .*)?)"),
        ]
    ],
    Field(
        description="a list of an address with its key or fingerprint each, as 203.0.113.10"
        " ssh-ed25519 AAAA… or 203.0.113.10 SHA256:… (scripts/trust-hosts writes them)"
    ),
]


class Settings(BaseModel):
    """Everything a person can choose for one environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    app_name: Name
    app_folder: Folder
    app_source: Annotated[str, _matches(r"folder|sdist"), Field(description="folder or sdist")]
    app_module: Module
    app_env: Environment
    app_config_file: FolderOrNone
    app_config_variable: Annotated[
        str,
        _matches(rf"(?!({_TAKEN_VARIABLES})$)[A-Z_][A-Z0-9_]*"),
        Field(description="capital letters, digits and _, and no name that is taken"),
    ]
    build_command: CommandLine
    release_command: CommandLine
    health_path: UrlPath
    health_status: Annotated[int, Field(ge=200, le=599, description="a status, 200 to 599")]
    health_seconds: Annotated[int, Field(ge=1, le=600, description="1 to 600 seconds")]
    release_command_seconds: Annotated[int, Field(ge=1, le=86400, description="1 to 86400 seconds")]
    warm_up_paths: Annotated[
        list[UrlPath], Field(max_length=20, description="at most 20 paths, each such as /products")
    ]
    steady_seconds: Annotated[int, Field(ge=0, le=600, description="0 to 600 seconds")]
    drain_seconds: Annotated[int, Field(ge=0, le=600, description="0 to 600 seconds")]
    app_server: Annotated[
        str, _matches("gunicorn|uwsgi|mod_wsgi"), Field(description="gunicorn, uwsgi or mod_wsgi")
    ]
    supervisor: Annotated[
        str, _matches("systemd|supervisor"), Field(description="systemd or supervisor")
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
        str, _matches(r"|[a-z0-9][a-z0-9-]*"), Field(description="a region's name, or empty")
    ]
    artifact_prefix: BucketFolder
    release_batch: Annotated[
        str,
        _matches(r"[1-9][0-9]?|([1-9][0-9]?|100)%"),
        Field(description="a number of servers, 1 to 99, or a percentage, 1% to 100%"),
    ]
    settle_seconds: Annotated[int, Field(ge=5, le=3600, description="5 to 3600 seconds")]
    canary_seconds: Annotated[int, Field(ge=0, le=3600, description="0 to 3600 seconds")]
    start_one_by_one: Annotated[bool, Field(description="true or false")]
    revert_on_failure: Annotated[bool, Field(description="true or false")]
    name_prefix: Annotated[
        str,
        _matches(r"|[a-z0-9][a-z0-9-]*"),
        Field(description="lower-case letters, digits and dashes, or empty"),
    ]
    region: Slug
    image: Image
    web_count: Annotated[int, Field(ge=1, le=50, description="1 to 50")]
    load_balancer: Annotated[bool, Field(description="true or false")]
    maintenance: Annotated[
        str, _matches(r"[^\n\0]{0,500}"), Field(description="one line of at most 500 characters")
    ]
    web_size: Slug
    web_port: Port
    db_size: Slug
    db_connections: Annotated[int, Field(ge=20, le=10_000, description="20 to 10000")]
    backups: Annotated[bool, Field(description="true or false")]
    protect_database: Annotated[bool, Field(description="true or false")]
    web_hosts: OwnHosts
    db_host: Annotated[
        str,
        AfterValidator(_check_own_host_or_none),
        Field(description=f"empty, or of the form {own_host.ALLOWED}"),
    ]
    host_keys: HostKeys
    ssh_user: Annotated[str, _matches(r"[a-z_][a-z0-9_-]*"), Field(description="a user's name")]
    ssh_key: Annotated[
        str, _matches(r"[^\n\0]*"), Field(description="the path of a private key file, or empty")
    ]
    vpc_range: VpcRange
    sites: Annotated[
        list[dict[str, Any]], BeforeValidator(_check_sites), Field(description="", repr=False)
    ]
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
        return {name: own_host.parse(text) for name, text in named}

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


def load() -> Settings:
    """Read this stack's configuration.

    Raises:
        SlipwayError: a setting is unknown, of the wrong type or out of range.
    """
    return parse(_raw_values(), prefix=f"{pulumi.get_project()}:")


def api_endpoint() -> str:
    """Where the DigitalOcean API is for this stack, as its provider has it; empty for its own."""
    configured = pulumi.Config("digitalocean").get("apiEndpoint")
    return configured or os.environ.get("DIGITALOCEAN_API_URL", "")


def parse(values: Mapping[str, Any], *, prefix: str = "slipway:") -> Settings:
    """Check raw values by their setting's name (`webPort`); pure.

    Args:
        values: all of them.
        prefix: put before their names in messages.

    Raises:
        SlipwayError: one line for each wrong setting.
    """
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SlipwayError("\n".join(_explain(error, prefix))) from None
    _check_relations(settings, prefix)
    return settings


def _raw_values() -> dict[str, Any]:
    """All values of this project's namespace, known or not; lists arrive as JSON text."""
    everything = {
        **pulumi.runtime.config.get_config_env(),
        **pulumi.runtime.config.CONFIG.get(),
    }
    prefix = f"{pulumi.get_project()}:"
    values = {
        key.removeprefix(prefix): value
        for key, value in everything.items()
        if key.startswith(prefix)
    }
    return {name: _decode(value) for name, value in values.items()}


def _decode(value: str) -> Any:
    if value.startswith(("[", "{")):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _explain(error: ValidationError, prefix: str) -> list[str]:
    lines = []
    for problem in error.errors():
        known = _by_alias(Settings)
        name, *within = map(str, problem["loc"])
        key = f"{prefix}{name}"
        if name == "locations" and len(within) > 1:
            key = f"{key}[{within[0]}].{within[1]}"
            known, name = _by_alias(Location), within[1]
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {key.removesuffix(name)}{near[0]}?" if near else ""
            listed = "docs/static-content.md" if within else "Pulumi.yaml"
            lines.append(f"{key} is not a setting{hint} ({listed} lists them all)")
        elif problem["type"] == "said":
            lines.append(f"{key} {problem['msg']}")
        elif problem["type"] == "missing" and within:
            lines.append(f"{key} is missing: must be {known[name].description}")
        elif problem["type"] == "missing":
            lines.append(
                f"{key} has no value and no default: is Pulumi.yaml of this project in use?"
            )
        else:
            allowed = known[name].description
            # The engine hands every value over as text: quotes would only say so.
            value = problem["input"]
            shown = (
                value if isinstance(value, str) and value.isprintable() and value else repr(value)
            )
            lines.append(f"{key} is {shown}: must be {allowed}")
    return lines


def _by_alias(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _check_relations(settings: Settings, prefix: str) -> None:
    if settings.local_web_port and settings.local_web_port == settings.local_db_port:
        raise SlipwayError(
            f"{prefix}localDbPort is {settings.local_db_port}, and so is"
            f" {prefix}localWebPort: two forwards cannot share a port of 127.0.0.1"
        )
    if settings.web_port in (22, 5432):
        raise SlipwayError(
            f"{prefix}webPort is {settings.web_port}, which SSH or PostgreSQL uses:"
            " must be another port, 1 to 65535"
        )
    if (settings.app_server, settings.web_port) == ("mod_wsgi", APACHE_PORT):
        raise SlipwayError(
            f"{prefix}webPort is {APACHE_PORT}, where Apache listens for nginx"
            f" ({prefix}appServer is mod_wsgi): must be another port, 1 to 65535"
        )
    for name, value in (
        ("artifactEndpoint", settings.artifact_endpoint),
        ("artifactRegion", settings.artifact_region),
        ("artifactPrefix", settings.artifact_prefix),
    ):
        if value and not settings.artifact_bucket:
            raise SlipwayError(
                f"{prefix}{name} is {value}, but no bucket is set:"
                f" set {prefix}artifactBucket too, or neither"
            )
    if settings.app_config_file and settings.app_config_variable in settings.app_env:
        raise SlipwayError(
            f"{prefix}appEnv has the name {settings.app_config_variable}, which is taken:"
            f" {prefix}appConfigVariable says that it names {settings.app_config_file}"
        )
    location.check(
        settings.locations,
        key=f"{prefix}locations",
        static_folder=settings.static_folder,
        health_path=settings.health_path,
    )
    _check_own_hosts(settings, prefix)
    size = IPv4Network(settings.vpc_range).num_addresses
    for name, number in (
        ("localWebAddress", settings.local_web_address),
        ("localDbAddress", settings.local_db_address),
    ):
        if number == 1 or number >= size - 1:
            raise SlipwayError(
                f"{prefix}{name} is {number}: must be 2 to {min(size - 2, 250)}"
                f" in {settings.vpc_range}, or 0 for any"
            )


def _check_own_hosts(settings: Settings, prefix: str) -> None:
    """Servers of one's own are all or none, and what only DigitalOcean can do is not asked for."""
    if bool(settings.web_hosts) != bool(settings.db_host):
        there, missing = ("webHosts", "dbHost") if settings.web_hosts else ("dbHost", "webHosts")
        raise SlipwayError(
            f"{prefix}{missing} is empty, and {prefix}{there} is not: servers of your own"
            " are all servers of an environment, for both tiers share one network"
        )
    if not settings.own_hosts:
        return
    taken: dict[str, str] = {}
    for name, host in settings.own_hosts.items():
        for address in {host.address, host.private_address}:
            if address in taken:
                raise SlipwayError(
                    f"{address} is both {taken[address]} and {name} in {prefix}webHosts and"
                    f" {prefix}dbHost: each server has a machine of its own"
                )
        taken |= dict.fromkeys((host.address, host.private_address), name)
    ports = {host.port for name, host in settings.own_hosts.items() if name != "db"}
    if settings.web_port in ports:
        raise SlipwayError(
            f"{prefix}webPort is {settings.web_port}, which is the port of SSH in"
            f" {prefix}webHosts: must be another port, 1 to 65535"
        )
    only_at_digitalocean = {
        "webCount": settings.web_count not in (1, len(settings.web_hosts)),
        "loadBalancer": settings.load_balancer,
        "backups": settings.backups,
        "protectDatabase": settings.protect_database,
        "sshFrom": settings.ssh_from != ["0.0.0.0/0"],
        "localWebPort": bool(settings.local_web_port),
        "localDbPort": bool(settings.local_db_port),
        "localWebAddress": bool(settings.local_web_address),
        "localDbAddress": bool(settings.local_db_address),
    }
    for key, is_set in only_at_digitalocean.items():
        if is_set:
            raise SlipwayError(
                f"{prefix}{key} is set, and so is {prefix}webHosts: it has no meaning for"
                " servers of your own"
            )
