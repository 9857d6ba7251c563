"""VPCs: private networks. Droplets of one reach each other; nothing passes between two."""

from __future__ import annotations

import sqlite3
from ipaddress import IPv4Network
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api.addresses import (
    RangeError,
    candidate_ranges,
    first_overlap,
    read_vpc_range,
)
from local_cloud.api.catalogue import known_region
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import forbidden, not_found, not_implemented, unprocessable
from local_cloud.api.identifiers import UuidInPath
from local_cloud.api.models import Vpc
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now
from local_cloud.machine import MachineError

router = APIRouter()

VpcName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9\-.]+$", max_length=255)]
Description = Annotated[str, Field(max_length=255)]


class NewVpc(BaseModel):
    name: VpcName
    region: str
    description: Description = ""
    ip_range: str | None = None


class ReplacedVpc(BaseModel):
    name: VpcName
    description: Description = ""
    default: bool = False


class ChangedVpc(BaseModel):
    name: VpcName | None = None
    description: Description | None = None
    default: bool = False


def as_json(vpc: Vpc) -> dict[str, Any]:
    return {
        "id": vpc.id,
        "urn": f"do:vpc:{vpc.id}",
        "name": vpc.name,
        "description": vpc.description,
        "region": vpc.region,
        "ip_range": str(vpc.ip_range),
        "default": vpc.is_default,
        "created_at": vpc.created_at,
    }


def find(db: sqlite3.Connection, identifier: object) -> Vpc | None:
    row = db.execute("SELECT * FROM vpcs WHERE id = ?", (str(identifier),)).fetchone()
    return Vpc.from_row(row) if row else None


def existing(db: sqlite3.Connection, identifier: object) -> Vpc:
    vpc = find(db, identifier)
    if vpc is None:
        raise not_found("VPC", identifier)
    return vpc


def default_of(cloud: Cloud, db: sqlite3.Connection, region: str) -> Vpc:
    """The region's default VPC, made when it is first needed."""
    row = db.execute("SELECT * FROM vpcs WHERE region = ? AND is_default", (region,)).fetchone()
    if row:
        return Vpc.from_row(row)
    vpc = add(cloud, db, NewVpc(name=_free_name(db, f"default-{region}"), region=region))
    _make_default(db, vpc)
    return existing(db, vpc.id)


def add(cloud: Cloud, db: sqlite3.Connection, new: NewVpc) -> Vpc:
    """Record a new VPC; 422 names the field that stands against it."""
    known_region(new.region)
    if db.execute("SELECT 1 FROM vpcs WHERE name = ?", (new.name,)).fetchone():
        raise unprocessable("name", f"there is already a VPC named {new.name!r}")
    taken = {row["ip_range"]: row["name"] for row in db.execute("SELECT * FROM vpcs")}
    if new.ip_range is None:
        network = _free_range(cloud, [IPv4Network(text) for text in taken])
    else:
        network = _checked_range(cloud, new.ip_range, taken)
    row = db.execute(
        "INSERT INTO vpcs (id, name, description, region, ip_range, is_default, created_at) "
        "VALUES (?, ?, ?, ?, ?, false, ?) RETURNING *",
        (str(uuid4()), new.name, new.description, new.region, str(network), now()),
    ).fetchone()
    return Vpc.from_row(row)


def _free_name(db: sqlite3.Connection, wished: str) -> str:
    names = {row["name"] for row in db.execute("SELECT name FROM vpcs")}
    numbered = (f"{wished}-{number}" for number in range(2, len(names) + 3))
    return wished if wished not in names else next(name for name in numbered if name not in names)


def _checked_range(cloud: Cloud, text: str, taken: dict[str, str]) -> IPv4Network:
    try:
        network = read_vpc_range(text)
    except RangeError as error:
        raise unprocessable("ip_range", str(error)) from None
    overlapped = first_overlap(network, [IPv4Network(other) for other in taken])
    if overlapped:
        name = taken[str(overlapped)]
        raise unprocessable("ip_range", f"{text} overlaps {overlapped} of the VPC {name!r}")
    public = cloud.public_network
    if network.overlaps(public):
        raise unprocessable("ip_range", f"{text} overlaps the public network {public}")
    try:
        cloud.hypervisor.check_network(network)
    except MachineError as error:
        raise unprocessable("ip_range", str(error)) from error
    return network


def _free_range(cloud: Cloud, taken: list[IPv4Network]) -> IPv4Network:
    for network in candidate_ranges([*taken, cloud.public_network]):
        try:
            cloud.hypervisor.check_network(network)
        except MachineError:
            continue
        return network
    raise unprocessable("ip_range", "no range is free; delete a VPC or name a range")


def _rename(db: sqlite3.Connection, vpc: Vpc, name: str) -> None:
    clash = "SELECT 1 FROM vpcs WHERE name = ? AND id != ?"
    if db.execute(clash, (name, vpc.id)).fetchone():
        raise unprocessable("name", f"there is already a VPC named {name!r}")
    db.execute("UPDATE vpcs SET name = ? WHERE id = ?", (name, vpc.id))


def _describe(db: sqlite3.Connection, vpc: Vpc, description: str) -> None:
    db.execute("UPDATE vpcs SET description = ? WHERE id = ?", (description, vpc.id))


def _make_default(db: sqlite3.Connection, vpc: Vpc) -> None:
    db.execute("UPDATE vpcs SET is_default = (id = ?) WHERE region = ?", (vpc.id, vpc.region))


@router.get("/vpcs")
def list_vpcs(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT * FROM vpcs ORDER BY created_at, rowid")
    return page.answer("vpcs", [as_json(Vpc.from_row(row)) for row in rows], total)


@router.post("/vpcs")
def create_vpc(cloud: TheCloud, new: NewVpc) -> JSONResponse:
    with cloud.change_network() as db:
        vpc = add(cloud, db, new)
    return JSONResponse({"vpc": as_json(vpc)}, status_code=201)


@router.get("/vpcs/{vpc_id}")
def get_vpc(cloud: TheCloud, vpc_id: UuidInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"vpc": as_json(existing(db, vpc_id))})


@router.put("/vpcs/{vpc_id}")
def replace_vpc(cloud: TheCloud, vpc_id: UuidInPath, changed: ReplacedVpc) -> JSONResponse:
    return change_vpc(cloud, vpc_id, ChangedVpc(**changed.model_dump()))


@router.patch("/vpcs/{vpc_id}")
def change_vpc(cloud: TheCloud, vpc_id: UuidInPath, changed: ChangedVpc) -> JSONResponse:
    with cloud.store.write() as db:
        vpc = existing(db, vpc_id)
        if changed.name is not None:
            _rename(db, vpc, changed.name)
        if changed.description is not None:
            _describe(db, vpc, changed.description)
        if changed.default:
            _make_default(db, vpc)
        return JSONResponse({"vpc": as_json(existing(db, vpc_id))})


@router.delete("/vpcs/{vpc_id}")
def delete_vpc(cloud: TheCloud, vpc_id: UuidInPath) -> Response:
    """As at DigitalOcean, a VPC with members, or a region's default, is not deleted: 403."""
    with cloud.change_network() as db:
        vpc = existing(db, vpc_id)
        members = db.execute(
            "SELECT name FROM droplets WHERE vpc_id = ? "
            "UNION ALL SELECT name FROM load_balancers WHERE vpc_id = ?",
            (vpc.id, vpc.id),
        ).fetchall()
        if members:
            names = ", ".join(row["name"] for row in members)
            raise forbidden(f"Can not delete VPC with members: {vpc.name} has {names}")
        if vpc.is_default:
            raise forbidden(f"Can not delete default VPCs: {vpc.name} is {vpc.region}'s")
        db.execute("DELETE FROM vpcs WHERE id = ?", (vpc.id,))
    return Response(status_code=204)


@router.get("/vpcs/{vpc_id}/members")
def list_members(
    cloud: TheCloud, vpc_id: UuidInPath, page: RequestedPage, resource_type: str | None = None
) -> JSONResponse:
    with cloud.store.read() as db:
        vpc = existing(db, vpc_id)
        rows, total = page.select(
            db,
            "SELECT * FROM (SELECT 'droplet' AS kind, id, name, created_at, vpc_id FROM droplets "
            "UNION ALL SELECT 'loadbalancer', id, name, created_at, vpc_id FROM load_balancers) "
            "WHERE vpc_id = ? AND kind = coalesce(?, kind) ORDER BY kind, created_at, id",
            (vpc.id, "loadbalancer" if resource_type == "load_balancer" else resource_type),
        )
    members = [
        {
            "urn": f"do:{row['kind']}:{row['id']}",
            "name": row["name"],
            "created_at": row["created_at"],
        }
        for row in rows
    ]
    return page.answer("members", members, total)


@router.get("/vpcs/{vpc_id}/peerings")
def list_peerings(cloud: TheCloud, vpc_id: UuidInPath, page: RequestedPage) -> JSONResponse:
    """Always empty: peerings cannot be made here."""
    with cloud.store.read() as db:
        existing(db, vpc_id)
    return page.answer("peerings", [], 0)


@router.post("/vpcs/{vpc_id}/peerings")
@router.patch("/vpcs/{vpc_id}/peerings/{peering_id}")
def refuse_peering(cloud: TheCloud, vpc_id: UuidInPath) -> Response:
    with cloud.store.read() as db:
        existing(db, vpc_id)
    raise not_implemented("VPC peerings")
