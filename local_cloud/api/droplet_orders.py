"""Orders of new droplets: checked and recorded as a whole, then handed to the works."""

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
from local_cloud.api.records import Droplet, Vpc
from local_cloud.api.store import now
from local_cloud.api.tags import TagName
from local_cloud.api.works import TheWorks

router = APIRouter()

MOST_DROPLETS_AT_ONCE = 10
MOST_USER_DATA = 64 * 1024
"""Bytes, DigitalOcean's limit."""

DropletName = Annotated[
    str, Field(pattern=r"^[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]$", max_length=255)
]


class Order(BaseModel):
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
class CheckedOrder:
    """An order in which everything named exists."""

    names: list[str]
    size: Size
    image: images.Image
    vpc: Vpc
    public_keys: list[str]
    tags: list[str]
    user_data: str
    monitoring: bool


def check(cloud: Cloud, db: sqlite3.Connection, order: Order) -> CheckedOrder:
    if (order.name is None) == (order.names is None):
        raise unprocessable("name", "give either name, or names for several droplets")
    _refuse_unsupported(order)
    user_data = order.user_data or ""
    if len(user_data.encode()) > MOST_USER_DATA:
        raise unprocessable("user_data", f"longer than {MOST_USER_DATA // 1024} KiB")
    size, image = known_size(order.size), images.ordered(db, order.image)
    if size.disk < image["min_disk_size"]:
        message = (
            f"the image needs a disk of {image['min_disk_size']} GiB; {size.slug} has {size.disk}"
        )
        raise unprocessable("size", message)
    vpc = _vpc(cloud, db, order)
    checked_tags = tags.ensure(db, order.tags or ())
    wished = hints.wished_address(checked_tags)
    if wished is not None and not is_assignable(vpc.ip_range, wished):
        message = f"'local:address:{wished}' is no address for a droplet in {vpc.ip_range}"
        raise unprocessable("tags", message)
    return CheckedOrder(
        names=[order.name] if order.name is not None else order.names or [],
        size=size,
        image=image,
        vpc=vpc,
        public_keys=_public_keys(db, order),
        tags=checked_tags,
        user_data=user_data,
        monitoring=bool(order.monitoring),
    )


def _refuse_unsupported(order: Order) -> None:
    """Better a clear no than a droplet without what was ordered."""
    for field in ("backups", "ipv6", "volumes", "with_droplet_agent"):
        if getattr(order, field):
            raise unprocessable(field, "not supported by the local cloud")
    if order.public_networking is False:
        raise unprocessable("public_networking", "false is not supported by the local cloud")


def _vpc(cloud: Cloud, db: sqlite3.Connection, order: Order) -> Vpc:
    if order.region is not None:
        known_region(order.region)
    if not order.vpc_uuid:
        return vpcs.default_of(cloud, db, order.region or DEFAULT_REGION)
    vpc = vpcs.find(db, order.vpc_uuid)
    if vpc is None:
        raise unprocessable("vpc_uuid", f"there is no VPC {order.vpc_uuid!r}")
    if order.region not in (None, vpc.region):
        message = (
            f"the VPC {vpc.name!r} is in {vpc.region}, the droplet was to be in {order.region}"
        )
        raise unprocessable("vpc_uuid", message)
    return vpc


def _public_keys(db: sqlite3.Connection, order: Order) -> list[str]:
    public_keys = []
    for identifier in order.ssh_keys or ():
        row = ssh_keys.find(db, identifier)
        if row is None:
            message = f"there is no SSH key with the id or fingerprint {identifier!r}"
            raise unprocessable("ssh_keys", message)
        public_keys.append(row["public_key"])
    return list(dict.fromkeys(public_keys))


def record(cloud: Cloud, db: sqlite3.Connection, order: CheckedOrder, name: str) -> Droplet:
    """One droplet of an order, with addresses of its own and its tags."""
    taken = taken_addresses(db)
    public = _free_address(taken, cloud.public_network, None)
    wished = hints.wished_address(order.tags)
    private = _free_address(taken, order.vpc.ip_range, wished)
    (identifier,) = db.execute(
        "INSERT INTO droplets (name, status, region, size, disk, image_json, vpc_id, "
        "public_address, private_address, user_data, ssh_keys_json, monitoring, created_at) "
        "VALUES (?, 'new', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            name,
            order.vpc.region,
            order.size.slug,
            order.size.disk,
            json.dumps(order.image),
            order.vpc.id,
            str(public),
            str(private),
            order.user_data,
            json.dumps(order.public_keys),
            order.monitoring,
            now(),
        ),
    ).fetchone()
    tags.put_on_droplet(cloud, db, identifier, order.tags)
    return droplets.existing(db, identifier)


def _free_address(taken: set[IPv4Address], network: IPv4Network, wished: int | None) -> IPv4Address:
    try:
        return choose_address(network, taken, wished)
    except NoAddressLeftError as error:
        raise unprocessable("name", f"no more droplets fit in here: {error}") from None


@router.post("/droplets")
def create_droplets(
    cloud: TheCloud, works: TheWorks, order: Order, request: Request
) -> JSONResponse:
    with cloud.change_network() as db:
        checked = check(cloud, db, order)
        recorded = [record(cloud, db, checked, name) for name in checked.names]
        begun = [actions.begin(db, droplet, "create") for droplet in recorded]
        described = droplets.describe(cloud, db, recorded)
    for action in begun:
        works.start(action)
    told: dict[str, Any] = {"droplets": described}
    if order.names is None:
        told = {"droplet": described[0]}
    links = [_link(request, action) for action in begun]
    return JSONResponse(told | {"links": {"actions": links}}, status_code=202)


def _link(request: Request, action: Action) -> dict[str, Any]:
    href = f"{request.base_url}v2/actions/{action.id}"
    return {"id": action.id, "rel": action.type, "href": href}
