"""Finds the distribution of a server."""

from __future__ import annotations

import re

from components.core.errors import SlipwayError
from components.servers.distributions.debian import NGINX, POSTGRESQL, debian
from components.servers.distributions.distribution import Distribution
from components.servers.distributions.rhel import IDS, rhel

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
        SlipwayError: the system is not supported; names it and those that are.
    """
    if postgresql := POSTGRESQL.get((name, version)):
        return debian(f"{name.capitalize()} {version}", postgresql, NGINX[name, version])
    release = re.match(r"\d+", version)
    if name in IDS and release and release[0] == "9":
        return rhel(f"{name} {version}", python="python3.12", nginx=(1, 20), postgresql="13")
    if name in IDS and release and release[0] == "10":
        return rhel(f"{name} {version}", python="python3", nginx=(1, 26), postgresql="16")
    if name == "fedora":
        return rhel(f"Fedora {version}", python="python3", nginx=(1, 26))
    raise SlipwayError(
        f"runs {name or 'no known system'} {version}".rstrip() + f": must be {ALLOWED}"
    )
