"""Droplets and load balancers of an environment that its state does not know, and that are billed.

They come from an order that DigitalOcean answered with an error (504) although it carried it out,
which the provider then gives once more, and from an update that was killed.

One is this environment's where it stands in a private network that is in the state, for that is
nobody else's; and a droplet only with the tag and the name of a server's role, a load balancer with
the name that Slipway's has. What a person put beside them is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cli.console import asked, fail, say
from cli.engine import update_lock
from cli.engine.state import made
from cli.provider.account import Account, NotAskedError
from cli.provider.price import LOAD_BALANCER_DOLLARS

DROPLET = "digitalocean:index/droplet:Droplet"
LOAD_BALANCER = "digitalocean:index/loadBalancer:LoadBalancer"
# The engine gives it a name of its own (components/platform/digitalocean.py).
_BALANCER_NAME = re.compile(r"balancer-[0-9a-f]{7}")
_ROLES = {"web": re.compile(r"(.*-)?web(-\d+)?"), "db": re.compile(r"(.*-)?db")}
WHY = (
    "DigitalOcean answered its order with an error and carried it out all the same,"
    " or an update was cut short"
)


@dataclass(frozen=True, kw_only=True)
class Stray:
    kind: str
    """As a person calls it."""
    id: str
    name: str
    address: str
    dollars: float
    path: str
    """At the API."""
    is_spare: bool
    """Whether the state has one of that name, so that no update makes one more."""

    def __str__(self) -> str:
        where = self.address or "no address yet"
        return f"{self.kind} {self.id} ({self.name}, {where}, {self.dollars:.2f} USD a month)"


def find(stack: str, resources: Sequence[dict[str, Any]]) -> list[Stray]:
    """Ask for them; nothing is asked where no private network was made.

    Args:
        stack: whose account is asked.
        resources: of its state, also those that wait to be destroyed.

    Raises:
        NotAskedError: the API does not answer.
    """
    if not _of_type(resources, "vpc:Vpc"):
        return []
    account = Account.of(stack)
    tags = [_name(each) for each in _of_type(resources, "tag:Tag")]
    droplets = [each for tag in tags for each in account.all("droplets", tag_name=tag)]
    return among(resources, droplets, account.all("load_balancers"))


def among(
    resources: Sequence[dict[str, Any]],
    droplets: Iterable[dict[str, Any]],
    balancers: Iterable[dict[str, Any]],
) -> list[Stray]:
    """The strays among what the API has; pure."""
    networks = {each["id"] for each in _of_type(resources, "vpc:Vpc")}
    tags = {_name(each) for each in _of_type(resources, "tag:Tag")}
    known = ids(resources)
    names = {_name(each) for each in resources if each["type"] == DROPLET}
    found = {}
    for each in droplets:
        identity, name = str(each["id"]), str(each["name"])
        roles = {tag.rpartition("-")[2] for tag in tags.intersection(each["tags"])}
        ours = any(_ROLES[role].fullmatch(name) for role in roles if role in _ROLES)
        if ours and each["vpc_uuid"] in networks and identity not in known:
            found[identity] = Stray(
                kind="droplet",
                id=identity,
                name=name,
                address=_public_address(each),
                dollars=float(each["size"]["price_monthly"]),
                path=f"/v2/droplets/{identity}",
                is_spare=name in names,
            )
    for each in balancers:
        identity, name = str(each["id"]), str(each["name"])
        ours = _BALANCER_NAME.fullmatch(name) is not None and each["vpc_uuid"] in networks
        if ours and identity not in known:
            found[identity] = Stray(
                kind="load balancer",
                id=identity,
                name=name,
                address=str(each.get("ip") or ""),
                dollars=LOAD_BALANCER_DOLLARS * float(each.get("size_unit") or 1),
                path=f"/v2/load_balancers/{identity}",
                is_spare=any(each["type"] == LOAD_BALANCER for each in resources),
            )
    return list(found.values())


def ids(resources: Iterable[dict[str, Any]]) -> set[str]:
    """Of the droplets and load balancers that a state knows."""
    return {str(each.get("id")) for each in resources if each["type"] in (DROPLET, LOAD_BALANCER)}


def way_out(stack: str, strays: Iterable[Stray]) -> str:
    return " ".join([f"scripts/up {stack}", *(f"--destroy {each.id}" for each in strays)])


def is_being_updated(stack: str) -> bool:
    """Then what the state does not know yet may be what that update is making."""
    return any(not lock.is_dead for lock in update_lock.held(stack))


def before(stack: str, named: Collection[str]) -> set[str]:
    """Destroy those that are named; end the command where an update would make one more.

    Returns:
        The ids that the state knows, for `after`.
    """
    resources = made(stack)
    try:
        strays = find(stack, resources)
        unknown = set(named) - {each.id for each in strays}
        if unknown:
            there = ", ".join(each.id for each in strays) or "there is none now"
            fail(
                f"--destroy is {', '.join(sorted(unknown))}: must be db, or the id of a droplet or"
                f" load balancer of {stack} that its state does not know ({there})"
            )
        _destroy(stack, [each for each in strays if each.id in named])
    except NotAskedError as error:
        if named:
            fail(f"--destroy {' '.join(named)}: {error}")
        say(f"{stack}: could not ask for servers that its state does not know: {error}")
        strays = []
    rest = [each for each in strays if each.id not in named]
    if missing := [each for each in rest if not each.is_spare]:
        fail(
            f"{stack} has {', '.join(map(str, missing))}, which its state does not know, and an"
            f" update could make one more: {WHY}. Nothing was updated. It is destroyed, with all"
            f" that is on it, by: {way_out(stack, missing)}"
        )
    _tell(stack, rest)
    return ids(resources)


def after(stack: str, known_before: set[str], *, well: bool) -> None:
    """Say which there are now, where the update has made anything or has failed."""
    resources = made(stack)
    if (well and ids(resources) == known_before) or is_being_updated(stack):
        return
    try:
        _tell(stack, find(stack, resources))
    except NotAskedError as error:
        say(f"{stack}: could not ask for servers that its state does not know: {error}")


def away(stack: str, *, ask: bool) -> None:
    """Destroy all of them: while one is there, its network cannot go."""
    if is_being_updated(stack):
        return  # the engine says so, and destroys nothing
    try:
        strays = find(stack, made(stack))
        if not strays:
            return
        _tell(stack, strays)
        if ask and asked(f"Destroy that, too? Type {stack} to go on: ") != stack:
            fail("nothing was changed")
        _destroy(stack, strays)
    except NotAskedError as error:
        fail(
            f"{stack}: could not ask for servers that its state does not know, and that would"
            f" be billed on: {error}"
        )


def _tell(stack: str, strays: Sequence[Stray]) -> None:
    for each in strays:
        say(f"{stack} has {each}, which its state does not know: {WHY}")
    if strays:
        say(f"they are destroyed by {way_out(stack, strays)}, or with scripts/down {stack}")


def _destroy(stack: str, strays: Iterable[Stray]) -> None:
    account = Account.of(stack)
    for each in strays:
        account.destroy(each.path)
        say(f"{stack}: {each}, which its state did not know, is destroyed")


def _of_type(resources: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in resources if each["type"] == f"digitalocean:index/{kind}"]


def _name(resource: dict[str, Any]) -> str:
    return str(resource.get("outputs", {}).get("name"))


def _public_address(droplet: dict[str, Any]) -> str:
    found = droplet.get("networks", {}).get("v4", [])
    return next((str(each["ip_address"]) for each in found if each["type"] == "public"), "")
