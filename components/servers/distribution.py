"""What differs between the systems a server can run: one table of names for each family; pure.

Sources: packages.debian.org and packages.ubuntu.com for Debian's and Ubuntu's PostgreSQL; for the
RHEL family the AppStream packages of releases 9 and 10, and Fedora's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from components.core.errors import SlipwayError

Role = Literal["web", "db"]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One system, with its names for what every server of ours has."""

    label: str
    """For people: Debian 12."""
    family: Literal["debian", "rhel"]
    packages: Mapping[Role, tuple[str, ...]]
    """By the server's role, with those that every server gets."""
    installer: str
    """The template of the script that installs packages."""
    python: str = "python3"
    """The interpreter of releases and of releasectl, 3.10 or newer."""
    web_user: str
    """Who nginx runs as."""
    site: str
    """The file of nginx's site; {app} stands for the application's name."""
    enable_site: str = ""
    """Shell, up to its `&&`, that makes nginx read it where it does not by itself."""
    ssh_service: str
    postgresql_folder: str
    """Where postgresql.conf and pg_hba.conf are."""
    postgresql_program: str
    notices_lost_clients: bool = True
    """Whether its PostgreSQL is 14 or newer, which can look after the clients of statements."""
    updates_service: str
    updates_file: str
    """Settings of the daily security updates; its template has the file's own name."""
    updates_template: str
    updates_check: str = ""
    after_packages: Mapping[Role, tuple[str, ...]]
    """By the server's role: shell commands that make of its packages what Debian's make of
    themselves (run each time, so safe to repeat)."""


# Debian and Ubuntu have the same names; only PostgreSQL's version is in its paths.
_POSTGRESQL = {
    ("debian", "12"): "15",
    ("debian", "13"): "17",
    ("ubuntu", "22.04"): "14",
    ("ubuntu", "24.04"): "16",
}
_RHEL = ("rhel", "rocky", "almalinux", "centos", "ol")
ALLOWED = (
    "Debian 12 or 13, Ubuntu 22.04 or 24.04, or of the RHEL family (RHEL, Rocky Linux, AlmaLinux,"
    " CentOS Stream, Oracle Linux) release 9 or 10, or Fedora"
)


def of_image(slug: str) -> Distribution:
    """The system of a DigitalOcean image, such as debian-12-x64."""
    name, version = slug.split("-")[:2]
    return of(name, version)


def of(name: str, version: str) -> Distribution:
    """By ID and VERSION_ID of os-release(5).

    Raises:
        SlipwayError: it is none of those we know; says what was seen and what is allowed.
    """
    if postgresql := _POSTGRESQL.get((name, version)):
        return _debian(f"{name.capitalize()} {version}", postgresql)
    release = re.match(r"\d+", version)
    if name in _RHEL and release and release[0] in ("9", "10"):
        if release[0] == "9":  # its PostgreSQL is 13
            return _rhel(f"{name} {version}", python="python3.12", notices_lost_clients=False)
        return _rhel(f"{name} {version}", python="python3")
    if name == "fedora":
        return _rhel(f"Fedora {version}", python="python3")
    raise SlipwayError(
        f"runs {name or 'no known system'} {version}".rstrip() + f": must be {ALLOWED}"
    )


_LET_NGINX_CONNECT = "! selinuxenabled || setsebool -P httpd_can_network_connect 1"
_DATA = "/var/lib/pgsql/data"
_MAKE_A_CLUSTER = (
    f"[ -s {_DATA}/PG_VERSION ] || postgresql-setup --initdb >/dev/null",
    f"install -d -m 0700 -o postgres -g postgres {_DATA}/conf.d",
    f"grep -qx \"include_dir = 'conf.d'\" {_DATA}/postgresql.conf"
    f" || echo \"include_dir = 'conf.d'\" >>{_DATA}/postgresql.conf",
    # Debian's package comes with a certificate.
    f"[ -s {_DATA}/server.key ] || runuser -u postgres -- openssl req -x509 -newkey rsa:2048 -nodes"
    f" -days 3650 -subj /CN=db -keyout {_DATA}/server.key -out {_DATA}/server.crt 2>/dev/null",
)


def _debian(label: str, postgresql: str) -> Distribution:
    every = ("ca-certificates", "logrotate", "unattended-upgrades")
    return Distribution(
        label=label,
        family="debian",
        packages={"web": (*every, "nginx-light", "python3-venv"), "db": (*every, "postgresql")},
        installer="install_packages.sh",
        web_user="www-data",
        site="/etc/nginx/sites-available/{app}",
        # Debian's own default site is there again when nginx had to be installed again.
        enable_site="rm -f /etc/nginx/sites-enabled/default &&"
        " ln -sfn ../sites-available/{app} /etc/nginx/sites-enabled/{app} && ",
        ssh_service="ssh",
        postgresql_folder=f"/etc/postgresql/{postgresql}/main",
        postgresql_program=f"/usr/lib/postgresql/{postgresql}/bin/postgres",
        updates_service="unattended-upgrades",
        updates_file="/etc/apt/apt.conf.d/60slipway",
        updates_template="unattended-upgrades.conf",
        updates_check="apt-config dump",
        after_packages={"web": (), "db": ()},
    )


def _rhel(label: str, *, python: str, notices_lost_clients: bool = True) -> Distribution:
    every = (
        "ca-certificates",
        "dnf-automatic",
        "logrotate",
        "policycoreutils-python-utils",
    )
    return Distribution(
        label=label,
        family="rhel",
        packages={
            "web": (*every, "nginx", python),
            "db": (*every, "postgresql-server", "openssl"),
        },
        installer="install_packages_dnf.sh",
        python=python,
        web_user="nginx",
        site="/etc/nginx/conf.d/{app}.conf",
        ssh_service="sshd",
        postgresql_folder=_DATA,
        postgresql_program="/usr/bin/postgres",
        notices_lost_clients=notices_lost_clients,
        updates_service="dnf-automatic.timer",
        updates_file="/etc/dnf/automatic.conf",
        updates_template="dnf-automatic.conf",
        after_packages={"web": (_LET_NGINX_CONNECT,), "db": _MAKE_A_CLUSTER},
    )
