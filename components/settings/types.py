"""The types of settings: which values are valid; pure.

The description of a type says what is allowed; errors quote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from components.app_servers.registry import APP_SERVERS, PROCESS_MANAGERS
from components.settings import existing_host

#: Type of pydantic errors whose message is for the user as it is.
CUSTOM_ERROR = "custom"


def matches(pattern: str) -> AfterValidator:
    """Text that matches the pattern as a whole."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return AfterValidator(check)


def between(low: int, high: int, unit: str = "") -> FieldInfo:
    """A number in this range, including both ends."""
    field: FieldInfo = Field(ge=low, le=high, description=f"{low} to {high} {unit}".rstrip())
    return field


def _one_of(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"


def _check_network(value: str) -> str:
    IPv4Network(value)
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
    existing_host.parse(value)
    return value


def _check_own_host_or_none(value: str) -> str:
    return _check_own_host(value) if value else value


# Users, groups, units, databases and folders in /run that a server has already: an application with
# such a name would get their rights, or replace them.
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


# Variables that an application's settings must not set: Slipway's, systemd's, and those that decide
# which programs and libraries run.
_TAKEN_VARIABLES = r"DATABASE_URL|PATH|HOME|PYTHONHOME|(SLIPWAY|LD|LISTEN|NOTIFY)_.*"


def _check_environment(values: Any) -> dict[str, str]:
    """Variables with their values as text. Error messages never contain a value."""
    if not isinstance(values, dict):
        raise _custom_error("must be a map of names and values")
    for name, value in values.items():
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            raise _custom_error(
                f"has the name {name!r}: must be capital letters, digits and _, not a digit first"
            )
        if re.fullmatch(_TAKEN_VARIABLES, name):
            raise _custom_error(f"has the name {name}, which is taken: must be another one")
        if not isinstance(value, str | int | float):
            raise _custom_error(
                f"has for {name} no plain value: must be text, a number, true or false"
            )
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", str(value)):  # systemd would drop the variable
            raise _custom_error(
                f"has for {name} a control character: must be text, its lines ended by LF"
            )
    return {name: _text_of(value) for name, value in values.items()}


def _check_pem(value: Any) -> Any:
    """Error messages never contain the value, which may be a key."""
    if value and not (isinstance(value, str) and value.lstrip().startswith("-----BEGIN ")):
        raise _custom_error("is no text in PEM: must be such, from its line -----BEGIN on")
    return value


def _check_sites(values: Any) -> Any:
    """Check only the form (site.py does the rest). Error messages never contain a value."""
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise _custom_error("must be a list of maps, each with an appName and serverNames")
    return values


def _text_of(value: str | float) -> str:
    """As written in the stack file: true, not True."""
    return value if isinstance(value, str) else json.dumps(value)


def _custom_error(message: str) -> PydanticCustomError:
    """An error with this message; passed as a value, so that braces in it are not placeholders."""
    return PydanticCustomError(CUSTOM_ERROR, "{message}", {"message": message})


AppServerName = Annotated[
    str, matches("|".join(APP_SERVERS)), Field(description=_one_of(APP_SERVERS))
]
ProcessManagerName = Annotated[
    str, matches("|".join(PROCESS_MANAGERS)), Field(description=_one_of(PROCESS_MANAGERS))
]
Flag = Annotated[bool, Field(description="true or false")]
Name = Annotated[
    str,
    matches(r"[a-z][a-z0-9]{0,23}"),
    AfterValidator(_check_free_name),
    Field(
        description="1 to 24 lower-case letters and digits, starting with a letter,"
        " and no name that a Debian server uses itself"
    ),
]
Module = Annotated[
    str,
    matches(r"|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\(\))?"),
    Field(description="module:name, such as wsgi:app, or empty to have it found"),
]
Slug = Annotated[str, matches(r"[a-z0-9][a-z0-9-]*"), Field(description="a DigitalOcean slug")]
Image = Annotated[
    str,
    matches(r"debian-1[23]-x64"),
    Field(description="debian-12-x64 or debian-13-x64"),
]
ReleaseId = Annotated[
    str,
    matches(r"|[0-9a-f]{12}"),
    Field(description="12 hexadecimal digits, as listed by scripts/releases, or empty"),
]
UrlPath = Annotated[
    str,
    matches(r"/[\w./~-]*"),
    Field(description="a path such as /healthz"),
]
HostOrNone = Annotated[
    str,
    matches(r"|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?"),
    Field(description="a name such as www.example.org, or empty"),
]
ServerName = Annotated[
    str,
    matches(r"(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"),
]
ServerNames = Annotated[
    list[ServerName],
    Field(max_length=100, description="a list of names, each such as www.example.org"),
]
TlsMode = Annotated[
    str,
    matches(r"auto|servers|balancer|own|off"),
    Field(description="auto, servers, balancer, own or off"),
]
RedirectNames = Annotated[
    dict[ServerName, ServerName],
    Field(max_length=50, description="a map of names, such as {example.org: www.example.org}"),
]
Pem = Annotated[
    str, BeforeValidator(_check_pem), Field(description="text in PEM, or empty", repr=False)
]
AcmeServer = Annotated[
    str,
    matches(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\w./~-]*)?"),
    Field(description="an address such as https://acme.example.org/directory"),
]
Email = Annotated[
    str,
    matches(r"|[^\s@]+@[A-Za-z0-9.-]+"),
    Field(description="an address such as admin@example.org, or empty"),
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
    matches(r"|[\w-][\w.-]*(/[\w-][\w.-]*)*"),
    Field(description="a folder inside the application, or empty"),
]
Environment = Annotated[
    dict[str, str],
    BeforeValidator(_check_environment),
    Field(description="a map of variables", repr=False),
]
VariableName = Annotated[
    str,
    matches(rf"(?!({_TAKEN_VARIABLES})$)[A-Z_][A-Z0-9_]*"),
    Field(description="capital letters, digits and _, and no name that is taken"),
]
CommandLine = Annotated[str, matches(r"[^\n\0]*"), Field(description="one command line, or empty")]
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
    matches(r"|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    Field(description="3 to 63 lower-case letters, digits, dots and dashes, or empty"),
]
BucketEndpoint = Annotated[
    str,
    matches(r"|https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?"),
    Field(description="an address such as https://fra1.digitaloceanspaces.com, or empty for AWS"),
]
BucketFolder = Annotated[
    str,
    matches(r"|[\w-][\w.-]*(/[\w-][\w.-]*)*"),
    Field(description="a folder such as team/site, or empty"),
]
ExistingHosts = Annotated[
    list[Annotated[str, AfterValidator(_check_own_host)]],
    Field(description=f"a list, each of the form {existing_host.ALLOWED}"),
]
ExistingHostOrNone = Annotated[
    str,
    AfterValidator(_check_own_host_or_none),
    Field(description=f"empty, or of the form {existing_host.ALLOWED}"),
]
HostKeys = Annotated[
    list[
        Annotated[
            str,
            matches(r"\S+ (SHA256:[A-Za-z0-9+/]{43}|(ssh-ed25519|ecdsa-sha2-nistp\d+) \S+( .*)?)"),
        ]
    ],
    Field(
        description="a list of an address with its key or fingerprint each, as 203.0.113.10"
        " ssh-ed25519 AAAA… or 203.0.113.10 SHA256:… (scripts/trust-hosts writes them)"
    ),
]
Sites = Annotated[
    list[dict[str, Any]], BeforeValidator(_check_sites), Field(description="", repr=False)
]
