"""`digitalocean.Droplet`: a server. Its changes after creation are in `droplet_changes.py`."""

from __future__ import annotations

import hashlib
from typing import Any

from local_cloud.plugins.digitalocean import droplet_changes
from local_cloud.plugins.digitalocean.api import ApiError, GaveUp, Unreachable, Work
from local_cloud.plugins.digitalocean.droplet_state import ActionFailed, state_of, wait_for
from local_cloud.plugins.digitalocean.firewall import tags_property
from local_cloud.plugins.digitalocean.schema import (
    HalfMade,
    Kind,
    Made,
    Property,
    Table,
)
from local_cloud.plugins.digitalocean.validators import between, not_empty, one_of
from local_cloud.plugins.shared_values import UNKNOWN, Properties

CREATE_SECONDS = 3600
DELETE_SECONDS = 60

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    answer = await work.call("droplets.create", _request(inputs, plan))
    droplet = answer["droplet"]
    identity = str(droplet["id"])
    actions = (answer.get("links") or {}).get("actions") or []
    try:
        droplet = await wait_for(
            work,
            identity,
            lambda found: found["status"] == "active",
            CREATE_SECONDS,
            action=actions[0]["id"] if actions else None,
            may_be_missing=True,
        )
    except ActionFailed as error:
        # It will never run: without it the next update simply tries again.
        await delete(work, identity, {})
        raise GaveUp(f"{error}; the droplet ({identity}) was deleted again") from None
    except (ApiError, Unreachable, GaveUp) as error:
        raise HalfMade(
            Made(id=identity, state={**plan, **state_of(droplet)}),
            f"waiting for droplet ({identity}) to become ready: {error}",
        ) from None
    return Made(id=identity, state={**plan, **state_of(droplet)})


def _request(inputs: Properties, plan: Properties) -> Properties:
    body: Properties = {
        "name": plan["name"],
        "region": plan["region"] if plan["region"] is not UNKNOWN else "",
        "size": plan["size"],
        "image": _number_or_text(plan["image"]),
        "ssh_keys": [_number_or_text(key) for key in plan["sshKeys"] or []],
        "tags": plan["tags"] or [],
        "backups": plan["backups"],
        "ipv6": plan["ipv6"],
        "monitoring": plan["monitoring"],
    }
    wanted = {
        "user_data": inputs.get("userData"),
        "vpc_uuid": inputs.get("vpcUuid"),
        "volumes": inputs.get("volumeIds"),
        "private_networking": inputs.get("privateNetworking"),
    }
    body |= {name: value for name, value in wanted.items() if value}
    if inputs.get("publicNetworking") is False:
        body["public_networking"] = False
    if inputs.get("dropletAgent") is not None:
        body["with_droplet_agent"] = inputs["dropletAgent"]
    if plan["backupPolicy"]:
        body["backup_policy"] = droplet_changes.policy_request(plan["backupPolicy"])
    return body


def _number_or_text(value: str) -> int | str:
    return int(value) if value.isdigit() else value


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    if not identity.isdigit():
        return None
    answer = await work.find("droplets.get", int(identity))
    if answer is None:
        return None
    droplet = answer["droplet"]
    known = state or _imported(droplet)
    return Made(id=identity, state={**known, **state_of(droplet)})


def _imported(droplet: Properties) -> Properties:
    """What only the program knows of a droplet, guessed from what the API says."""
    image = droplet.get("image") or {}
    unknown = {item.name: None for item in DROPLET.properties}
    return {**unknown, "image": image.get("slug") or str(image.get("id")), "resizeDisk": True}


async def delete(work: Work, identity: str, state: Properties) -> None:
    """Delete the droplet and wait until the API knows it no more.

    Raises `GaveUp` when it is still there after the time allowed.
    """
    number, seconds = int(identity), DELETE_SECONDS
    try:
        await wait_for(work, identity, lambda found: not found["locked"], seconds)
        if state.get("gracefulShutdown"):
            await work.call("droplet_actions.post", number, {"type": "shutdown"})
            await wait_for(work, identity, lambda found: found["status"] == "off", seconds)
        for volume in state.get("volumeIds") or []:
            await droplet_changes.detach(work, number, volume)
        await work.call("droplets.destroy", number)
    except ApiError as error:
        if error.status == 404:
            return
        raise

    async def gone() -> bool | None:
        return True if await work.find("droplets.get", number) is None else None

    await work.wait(gone, seconds)


def adjust_plan(prior: Properties, plan: Properties) -> bool:
    """IPv6 brings an address that is not known before, and cannot be taken away again."""
    if plan["ipv6"] is True and not prior.get("ipv6"):
        plan["ipv6Address"] = UNKNOWN
    return bool(prior.get("ipv6")) and plan["ipv6"] is False


def _fingerprint(text: str) -> str:
    """The state keeps only this of user data, as the official plugin does."""
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - a fingerprint, not a secret


def _output(name: str, kind: Kind = Kind.TEXT, **more: Any) -> Property:
    return Property(name=name, kind=kind, given=False, computed=True, **more)


DROPLET = Table(
    token="digitalocean:index/droplet:Droplet",  # noqa: S106
    noun="droplet",
    properties=(
        Property(name="image", required=True, replaces=True, validator=not_empty),
        Property(name="name", required=True, validator=not_empty),
        Property(
            name="region", computed=True, replaces=True, stored=str.lower, validator=not_empty
        ),
        Property(name="size", required=True, stored=str.lower, validator=not_empty),
        Property(name="gracefulShutdown", kind=Kind.FLAG, default=False),
        Property(name="resizeDisk", kind=Kind.FLAG, default=True),
        Property(name="backups", kind=Kind.FLAG, default=False),
        Property(
            name="backupPolicy",
            kind=Kind.OBJECT,
            needs="backups",
            fields=(
                Property(name="plan", validator=one_of("daily", "weekly")),
                Property(name="weekday", validator=one_of(*WEEKDAYS)),
                Property(name="hour", kind=Kind.WHOLE, validator=between(0, 20)),
            ),
        ),
        Property(name="ipv6", kind=Kind.FLAG, default=False),
        Property(name="ipv6Address", computed=True),
        Property(
            name="privateNetworking",
            kind=Kind.FLAG,
            computed=True,
            deprecated=(
                "This parameter has been deprecated. Use `vpcUuid` instead to specify a VPC "
                "network for the Droplet. If no `vpcUuid` is provided, the Droplet will be "
                "placed in your account's default VPC for the region."
            ),
        ),
        Property(name="publicNetworking", kind=Kind.FLAG, computed=True, replaces=True),
        Property(name="sshKeys", kind=Kind.SET, replaces=True, validator=not_empty),
        Property(name="userData", replaces=True, stored=_fingerprint, validator=not_empty),
        Property(name="volumeIds", kind=Kind.SET, computed=True),
        Property(name="monitoring", kind=Kind.FLAG, replaces=True, default=False),
        Property(name="dropletAgent", kind=Kind.FLAG, replaces=True),
        tags_property(),
        Property(name="vpcUuid", computed=True, replaces=True, validator=not_empty),
        _output("createdAt"),
        _output("dropletUrn", upstream="urn"),
        _output("disk", Kind.WHOLE),
        _output("vcpus", Kind.WHOLE),
        _output("memory", Kind.WHOLE),
        _output("priceHourly", Kind.NUMBER),
        _output("priceMonthly", Kind.NUMBER),
        _output("status"),
        _output("locked", Kind.FLAG),
        _output("ipv4Address"),
        _output("ipv4AddressPrivate"),
    ),
    timeouts={"create": CREATE_SECONDS, "delete": DELETE_SECONDS, "update": CREATE_SECONDS},
    schema_version="1",
    create=create,
    read=read,
    update=droplet_changes.update,
    delete=delete,
    adjust_plan=adjust_plan,
)
