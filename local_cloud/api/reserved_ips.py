"""Reserved IPs: public addresses that stay, and move from droplet to droplet.

Unlike at DigitalOcean, where an anchor address stands for it, a droplet has the address itself on
its public card, and its connections begin under its own. An assignment is in force before it is
answered, so its action is completed at once.
"""

from __future__ import annotations

import sqlite3
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api import actions, droplets
from local_cloud.api.actions import Action
from local_cloud.api.addresses import NoAddressLeftError, choose_last_address, taken_addresses
from local_cloud.api.catalogue import known_region, region_json
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import not_found, unprocessable
from local_cloud.api.identifiers import Number, NumberInPath
from local_cloud.api.models import Droplet, ReservedIp
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now

router = APIRouter()

AddressInPath = Annotated[IPv4Address, Path()]


class NewReservedIp(BaseModel):
    droplet_id: Number | None = None
    region: str | None = None
    project_id: str | None = None


class Assign(BaseModel):
    type: Literal["assign"]
    droplet_id: Number


class Unassign(BaseModel):
    type: Literal["unassign"]


Wish = Annotated[Assign | Unassign, Field(discriminator="type")]


def as_json(cloud: Cloud, db: sqlite3.Connection, reserved: ReservedIp) -> dict[str, Any]:
    droplet = None
    if reserved.droplet_id is not None:
        (droplet,) = droplets.describe(cloud, db, [droplets.existing(db, reserved.droplet_id)])
    return {
        "ip": str(reserved.ip),
        "region": region_json(reserved.region),
        "droplet": droplet,
        "locked": False,
        "project_id": _project(cloud),
    }


def _project(cloud: Cloud) -> str:
    """The one project that there is: of this cloud, as each account has a default one."""
    return str(uuid5(NAMESPACE_URL, f"{cloud.state_folder.as_uri()}#default-project"))


def existing(db: sqlite3.Connection, ip: IPv4Address) -> ReservedIp:
    row = db.execute("SELECT * FROM reserved_ips WHERE ip = ?", (str(ip),)).fetchone()
    if row is None:
        raise not_found("reserved IP", ip)
    return ReservedIp.from_row(row)


def release_of(db: sqlite3.Connection, droplet_id: int, ips: list[str]) -> None:
    """Give up those of a droplet; 422 names one that is not its own."""
    for ip in ips:
        query = "DELETE FROM reserved_ips WHERE ip = ? AND droplet_id = ?"
        if db.execute(query, (ip, droplet_id)).rowcount == 0:
            raise unprocessable("reserved_ips", f"droplet {droplet_id} has no reserved IP {ip!r}")


def of_droplet(db: sqlite3.Connection, droplet_id: int) -> list[str]:
    rows = db.execute("SELECT ip FROM reserved_ips WHERE droplet_id = ?", (droplet_id,))
    return [row["ip"] for row in rows]


def _done(db: sqlite3.Connection, kind: str, ip: IPv4Address, region: str) -> Action:
    """Record what has been done."""
    row = db.execute(
        "INSERT INTO actions (status, type, parameters_json, droplet_id, region, started_at, "
        "completed_at) VALUES ('completed', ?, '{}', ?, ?, ?, ?) RETURNING *",
        (kind, int(ip), region, now(), now()),
    ).fetchone()
    return Action.from_row(row)


def _told(cloud: Cloud, action: Action) -> dict[str, Any]:
    return action.as_json() | {"project_id": _project(cloud)}


def _assign(db: sqlite3.Connection, reserved: ReservedIp, droplet_id: int) -> Action:
    droplet = _assignable(db, droplet_id)
    if droplet.region != reserved.region:
        message = f"droplet {droplet_id} is in {droplet.region}, the reserved IP in"
        raise unprocessable("droplet_id", f"{message} {reserved.region}")
    others = [ip for ip in of_droplet(db, droplet_id) if ip != str(reserved.ip)]
    if others:
        message = f"droplet {droplet_id} already has the reserved IP {others[0]}"
        raise unprocessable("droplet_id", message)
    change = "UPDATE reserved_ips SET droplet_id = ? WHERE ip = ?"
    db.execute(change, (droplet_id, str(reserved.ip)))
    return _done(db, "assign_ip", reserved.ip, reserved.region)


def _assignable(db: sqlite3.Connection, droplet_id: int) -> Droplet:
    droplet = Droplet.find(db, droplet_id)
    if droplet is None:
        raise unprocessable("droplet_id", f"there is no droplet {droplet_id}")
    if droplet.status == "archive":
        raise unprocessable("droplet_id", f"droplet {droplet_id} is being deleted")
    return droplet


def _unassign(db: sqlite3.Connection, reserved: ReservedIp) -> Action:
    if reserved.droplet_id is None:
        raise unprocessable("type", f"the reserved IP {reserved.ip} is not assigned to a droplet")
    db.execute("UPDATE reserved_ips SET droplet_id = NULL WHERE ip = ?", (str(reserved.ip),))
    return _done(db, "unassign_ip", reserved.ip, reserved.region)


def _reserve(cloud: Cloud, db: sqlite3.Connection, wanted: NewReservedIp) -> ReservedIp:
    if (wanted.droplet_id is None) == (wanted.region is None):
        raise unprocessable("droplet_id", "give either droplet_id or region")
    if wanted.project_id and wanted.project_id != _project(cloud):
        raise unprocessable("project_id", "not supported by the local cloud")
    if wanted.droplet_id is not None:
        region = _assignable(db, wanted.droplet_id).region
    else:
        region = known_region(wanted.region or "")
    try:
        ip = choose_last_address(cloud.public_network, taken_addresses(db))
    except NoAddressLeftError as error:
        raise unprocessable("region", f"no more reserved IPs fit in here: {error}") from None
    db.execute("INSERT INTO reserved_ips VALUES (?, ?, NULL, ?)", (str(ip), region, now()))
    return existing(db, ip)


@router.get("/reserved_ips")
def list_reserved_ips(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        found = ReservedIp.all(db)
        told = [as_json(cloud, db, reserved) for reserved in page.of(found)]
    return page.answer("reserved_ips", told, len(found))


@router.post("/reserved_ips")
def create_reserved_ip(cloud: TheCloud, wanted: NewReservedIp, request: Request) -> JSONResponse:
    with cloud.change_network() as db:
        reserved = _reserve(cloud, db, wanted)
        action = _done(db, "reserve_ip", reserved.ip, reserved.region)
        linked: list[dict[str, Any]] = []
        if wanted.droplet_id is not None:
            action = _assign(db, reserved, wanted.droplet_id)
            href = f"{request.base_url}v2/droplets/{wanted.droplet_id}"
            linked = [{"id": wanted.droplet_id, "rel": "droplet", "href": href}]
        told = as_json(cloud, db, existing(db, reserved.ip))
    href = f"{request.base_url}v2/actions/{action.id}"
    links = {
        "droplets": linked,
        "actions": [{"id": action.id, "rel": action.type, "href": href}],
    }
    return JSONResponse({"reserved_ip": told, "links": links}, status_code=202)


@router.get("/reserved_ips/{reserved_ip}")
def get_reserved_ip(cloud: TheCloud, reserved_ip: AddressInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"reserved_ip": as_json(cloud, db, existing(db, reserved_ip))})


@router.delete("/reserved_ips/{reserved_ip}")
def delete_reserved_ip(cloud: TheCloud, reserved_ip: AddressInPath) -> Response:
    with cloud.change_network() as db:
        reserved = existing(db, reserved_ip)
        db.execute("DELETE FROM reserved_ips WHERE ip = ?", (str(reserved.ip),))
    return Response(status_code=204)


@router.post("/reserved_ips/{reserved_ip}/actions")
def act_on_reserved_ip(cloud: TheCloud, reserved_ip: AddressInPath, wish: Wish) -> JSONResponse:
    with cloud.change_network() as db:
        reserved = existing(db, reserved_ip)
        if isinstance(wish, Assign):
            action = _assign(db, reserved, wish.droplet_id)
        else:
            action = _unassign(db, reserved)
    return JSONResponse({"action": _told(cloud, action)}, status_code=201)


@router.get("/reserved_ips/{reserved_ip}/actions")
def list_actions_of_reserved_ip(
    cloud: TheCloud, reserved_ip: AddressInPath, page: RequestedPage
) -> JSONResponse:
    with cloud.store.read() as db:
        existing(db, reserved_ip)
        query = "SELECT * FROM actions WHERE droplet_id = ? ORDER BY id DESC"
        rows, total = page.select(db, query, (int(reserved_ip),))
    return page.answer("actions", [Action.from_row(row).as_json() for row in rows], total)


@router.get("/reserved_ips/{reserved_ip}/actions/{action_id}")
def get_action_of_reserved_ip(
    cloud: TheCloud, reserved_ip: AddressInPath, action_id: NumberInPath
) -> JSONResponse:
    with cloud.store.read() as db:
        existing(db, reserved_ip)
        action = actions.find(db, action_id)
    if action.droplet_id != int(reserved_ip):
        raise not_found("action", action_id)
    return JSONResponse({"action": _told(cloud, action)})
