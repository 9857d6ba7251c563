"""Creation of droplets: the request is checked and recorded, then passed to the action runner."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api import actions, droplets, hints, images, ssh_keys, tags, vpcs
from local_cloud.api.action_runner import TheActionRunner
from local_cloud.api.actions import Action
from local_cloud.api.addresses import (
    NoAddressLeftError,
    choose_address,
    is_assignable,
    taken_addresses,
)
from local_cloud.api.catalogue import DEFAULT_REGION, Size, known_region, known_size
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import unprocessable
from local_cloud.api.identifiers import Number
from local_cloud.api.models import Droplet, Vpc
from local_cloud.api.store import now
from local_cloud.api.tags import TagName

router = APIRouter()

MOST_DROPLETS_AT_ONCE = 10
MOST_USER_DATA = 64 * 1024
"""Bytes, DigitalOcean's limit."""

DropletName = Annotated[
    str, Field(pattern=r"^[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]$", max_length=255)
]


class DropletRequest(BaseModel):
    name: DropletName | None = None
    names: Annotated[
        list[DropletName] | None, Field(min_length=1, max_length=MOST_DROPLETS_AT_ONCE)
    ] = None
    size: str
    image: Number | str
    region: str | None = None
    ssh_keys: list[Number | str] | None = None
    tags: list[TagName] | None = None
    user_data: str | None = None
    vpc_uuid: str | None = None
    monitoring: bool | None = False
    backups: bool | None = False
    ipv6: bool | None = False
    volumes: list[str] | None = None
    with_droplet_agent: bool | None = None
    public_networking: bool | None = True


@dataclass(frozen=True)
class CheckedRequest:
    """A valid request: everything that it names exists."""

    names: list[str]
    size: Size
    image: images.Image
    vpc: Vpc
    public_keys: list[str]
    tags: list[str]
    user_data: str
    monitoring: bool


def check(cloud: Cloud, db: sqlite3.Connection, wanted: DropletRequest) -> CheckedRequest:
    if (wanted.name is None) == (wanted.names is None):
        raise unprocessable("name", "give either name, or names for several droplets")
    _refuse_unsupported(wanted)
    user_data = wanted.user_data or ""
    if len(user_data.encode()) > MOST_USER_DATA:
        raise unprocessable("user_data", f"longer than {MOST_USER_DATA // 1024} KiB")
    size, image = known_size(wanted.size), images.requested(db, wanted.image)
    if size.disk < image["min_disk_size"]:
        message = (
            f"the image needs a disk of {image['min_disk_size']} GiB; {size.slug} has {size.disk}"
        )
        raise unprocessable("size", message)
    vpc = _vpc(cloud, db, wanted)
    checked_tags = tags.ensure(db, wanted.tags or ())
    wished = hints.wished_address(checked_tags)
    if wished is not None and not is_assignable(vpc.ip_range, wished):
        message = f"'local:address:{wished}' is no address for a droplet in {vpc.ip_range}"
        raise unprocessable("tags", message)
    return CheckedRequest(
        names=[wanted.name] if wanted.name is not None else wanted.names or [],
        size=size,
        image=image,
        vpc=vpc,
        public_keys=_public_keys(db, wanted),
        tags=checked_tags,
        user_data=user_data,
        monitoring=bool(wanted.monitoring),
    )


def _refuse_unsupported(wanted: DropletRequest) -> None:
    """Refuse options that the local cloud does not support, rather than ignore them."""
    for field in ("backups", "ipv6", "volumes", "with_droplet_agent"):
        if getattr(wanted, field):
            raise unprocessable(field, "not supported by the local cloud")
    if wanted.public_networking is False:
        raise unprocessable("public_networking", "false is not supported by the local cloud")


def _vpc(cloud: Cloud, db: sqlite3.Connection, wanted: DropletRequest) -> Vpc:
    if wanted.region is not None:
        known_region(wanted.region)
    if not wanted.vpc_uuid:
        return vpcs.default_of(cloud, db, wanted.region or DEFAULT_REGION)
    vpc = vpcs.find(db, wanted.vpc_uuid)
    if vpc is None:
        raise unprocessable("vpc_uuid", f"there is no VPC {wanted.vpc_uuid!r}")
    if wanted.region not in (None, vpc.region):
        message = (
            f"the VPC {vpc.name!r} is in {vpc.region}, the droplet was to be in {wanted.region}"
        )
        raise unprocessable("vpc_uuid", message)
    return vpc


def _public_keys(db: sqlite3.Connection, wanted: DropletRequest) -> list[str]:
    public_keys = []
    for identifier in wanted.ssh_keys or ():
        row = ssh_keys.find(db, identifier)
        if row is None:
            message = f"there is no SSH key with the id or fingerprint {identifier!r}"
            raise unprocessable("ssh_keys", message)
        public_keys.append(row["public_key"])
    return list(dict.fromkeys(public_keys))


def record(cloud: Cloud, db: sqlite3.Connection, wanted: CheckedRequest, name: str) -> Droplet:
    """Insert one of the requested droplets, with its own addresses and its tags."""
    taken = taken_addresses(db)
    public = _free_address(taken, cloud.public_network, None)
    wished = hints.wished_address(wanted.tags)
    private = _free_address(taken, wanted.vpc.ip_range, wished)
    (identifier,) = db.execute(
        "INSERT INTO droplets (name, status, region, size, disk, image_json, vpc_id, "
        "public_address, private_address, user_data, ssh_keys_json, monitoring, created_at) "
        "VALUES (?, 'new', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            name,
            wanted.vpc.region,
            wanted.size.slug,
            wanted.size.disk,
            json.dumps(wanted.image),
            wanted.vpc.id,
            str(public),
            str(private),
            wanted.user_data,
            json.dumps(wanted.public_keys),
            wanted.monitoring,
            now(),
        ),
    ).fetchone()
    tags.put_on_droplet(cloud, db, identifier, wanted.tags)
    return droplets.existing(db, identifier)


def _free_address(taken: set[IPv4Address], network: IPv4Network, wished: int | None) -> IPv4Address:
    try:
        return choose_address(network, taken, wished)
    except NoAddressLeftError as error:
        raise unprocessable("name", f"no more droplets fit in here: {error}") from None


@router.post("/droplets")
def create_droplets(
    cloud: TheCloud, runner: TheActionRunner, wanted: DropletRequest, request: Request
) -> JSONResponse:
    with cloud.change_network() as db:
        checked = check(cloud, db, wanted)
        recorded = [record(cloud, db, checked, name) for name in checked.names]
        begun = [actions.begin(db, droplet, "create") for droplet in recorded]
        described = droplets.describe(cloud, db, recorded)
    for action in begun:
        runner.start(action)
    told: dict[str, Any] = {"droplets": described}
    if wanted.names is None:
        told = {"droplet": described[0]}
    links = [_link(request, action) for action in begun]
    return JSONResponse(told | {"links": {"actions": links}}, status_code=202)


def _link(request: Request, action: Action) -> dict[str, Any]:
    href = f"{request.base_url}v2/actions/{action.id}"
    return {"id": action.id, "rel": action.type, "href": href}
