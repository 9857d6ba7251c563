"""DigitalOcean's DNS: which domain of the account each name belongs to, and what is there already.

Records of others are never touched. One that leads a name elsewhere is told before anything is
made, because visitors would be sent there and here in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.core.errors import SlipwayError
from components.platform import api
from components.settings.settings import Settings
from components.settings.site import Site

#: Name of the stack output with the ids of the records that are Slipway's.
OUTPUT = "dns_records"
#: Types of records that lead a name to an address.
LEADING = ("A", "AAAA", "CNAME")


@dataclass(frozen=True, kw_only=True)
class PlacedName:
    """A name, and where its record is."""

    name: str
    domain: str
    """One of the account's."""
    record: str
    """The record's name within it: `@` for the domain itself."""


def placed(names: Sequence[str], domains: Sequence[str], *, project: str) -> list[PlacedName]:
    """Find the domain of each name: the longest one that it ends with; pure.

    Raises:
        SlipwayError: the account has none for a name.
    """
    return [_placed(name, domains, project) for name in names]


def _placed(name: str, domains: Sequence[str], project: str) -> PlacedName:
    above = [each for each in domains if f".{name}".endswith(f".{each}")]
    if not above:
        there = ", ".join(sorted(domains)) or "none"
        raise SlipwayError(
            f"{project}:dns is digitalocean, but the account has no domain for the name {name} (it"
            f" has {there}): add it at DigitalOcean, or set {project}:dns none"
        )
    domain = max(above, key=len)
    return PlacedName(
        name=name, domain=domain, record=name.removesuffix(domain).removesuffix(".") or "@"
    )


def find(
    settings: Settings, sites: Sequence[Site], earlier: Mapping[str, Any], *, project: str
) -> list[PlacedName]:
    """Ask the account for the domains of the sites' names; none where the DNS is somebody else's.

    Args:
        settings: of the environment.
        sites: all of them.
        earlier: the outputs of the last successful update.
        project: prefix of settings in messages.

    Raises:
        SlipwayError: the account cannot be asked, has no domain for a name, or has a record of
            somebody else that leads one elsewhere.
    """
    names = [name for site in sites for name in site.all_names]
    if settings.dns == "none" or not names:
        return []
    ids = {str(each) for each in earlier.get(OUTPUT) or ()}
    try:
        domains = [str(each["name"]) for each in api.all_of("domains", "domains")]
        found = placed(names, domains, project=project)
        hosts = {host.address for host in settings.own_hosts.values()}
        for name in found:
            _refuse_foreign(name, ids, hosts, project)
    except (OSError, ValueError, KeyError) as error:
        raise SlipwayError(
            f"{project}:dns is digitalocean, and {api.address()} cannot be asked for the domains"
            f" of the account: {error}"
        ) from None
    return found


def _refuse_foreign(name: PlacedName, ids: set[str], hosts: set[str], project: str) -> None:
    records = api.all_of(f"domains/{name.domain}/records", "domain_records", f"name={name.name}&")
    leading = [each for each in records if each["type"] in LEADING and str(each["id"]) not in ids]
    # An update that was cut short has made records that no output names.
    own = hosts or (_addresses() if leading else set())
    for record in leading:
        if record["data"] not in own:
            raise SlipwayError(
                f"{name.name} has a record {record['type']} {record['data']} at DigitalOcean, which"
                f" is not Slipway's: delete it there, or set {project}:dns none"
            )


def _addresses() -> set[str]:
    """The public addresses of the environment's web servers, and of what stands before them."""
    tag = f"{pulumi.get_project()}-{pulumi.get_stack()}-web"
    droplets = api.all_of("droplets", "droplets", f"tag_name={tag}&")
    own = {str(network["ip_address"]) for each in droplets for network in each["networks"]["v4"]}
    ids = {each["id"] for each in droplets}
    balancers = api.all_of("load_balancers", "load_balancers") if droplets else []
    return own | {str(each["ip"]) for each in balancers if ids & set(each["droplet_ids"])}
