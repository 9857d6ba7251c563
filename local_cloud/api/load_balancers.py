"""Load balancers: one address for several droplets. Request bodies: load_balancer_requests.py."""

from __future__ import annotations

import json
import logging
import sqlite3
from ipaddress import IPv4Address, IPv4Network
from threading import Thread
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from local_cloud.api import certificates, tags, vpcs
from local_cloud.api.addresses import NoAddressLeftError, choose_last_address, taken_addresses
from local_cloud.api.catalogue import known_region, region_json
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import not_found, not_implemented, unprocessable
from local_cloud.api.identifiers import UuidInPath
from local_cloud.api.load_balancer_requests import SIZES, LoadBalancerRequest
from local_cloud.api.models import Droplet, LoadBalancer, Vpc
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now
from local_cloud.machine import MachineError

router = APIRouter()
log = logging.getLogger("slipway.cloud")

SECONDS_UNTIL_ANSWER = 5.0
"""How long the response to a creation waits for the load balancer; most are active by then."""


def as_json(db: sqlite3.Connection, load_balancer: LoadBalancer) -> dict[str, Any]:
    """DigitalOcean's JSON form; it contains the address once the load balancer answers there."""
    settings = load_balancer.settings
    droplets = [droplet.id for droplet in Droplet.all(db) if load_balancer.serves(droplet)]
    size = next(name for name in reversed(SIZES) if SIZES[name] <= settings["size_unit"])
    return settings | {
        "id": load_balancer.id,
        "name": load_balancer.name,
        "project_id": "",
        "ip": str(load_balancer.public_address) if load_balancer.status == "active" else "",
        "ipv6": "",
        "size": size,
        "status": load_balancer.status,
        "created_at": load_balancer.created_at,
        "region": region_json(load_balancer.vpc.region),
        "vpc_uuid": load_balancer.vpc.id,
        "droplet_ids": droplets,
        "tag": load_balancer.tag or "",
        # One that was made before there were redirects has none.
        "redirect_http_to_https": settings.get("redirect_http_to_https", False),
        "type": "REGIONAL",
        "network": "EXTERNAL",
        "network_stack": "IPV4",
        "domains": [],
        "target_load_balancer_ids": [],
    }


def existing(db: sqlite3.Connection, identifier: object) -> LoadBalancer:
    row = db.execute("SELECT * FROM load_balancers WHERE id = ?", (str(identifier),)).fetchone()
    if row is None:
        raise not_found("load balancer", identifier)
    return LoadBalancer.from_row(db, row)


def resume(cloud: Cloud) -> None:
    """After a restart: finish those that were being created."""
    with cloud.store.read() as db:
        unfinished = [one.number for one in LoadBalancer.all(db) if one.status == "new"]
    for number in unfinished:
        _start(cloud, number)


def _start(cloud: Cloud, number: int) -> Thread:
    thread = Thread(target=_activate, args=(cloud, number), daemon=True)
    thread.start()
    return thread


def _activate(cloud: Cloud, number: int) -> None:
    """Set `new` to `active`, unless it was deleted meanwhile."""
    change = "UPDATE load_balancers SET status = ? WHERE number = ? AND status = 'new'"
    try:
        with cloud.change_network() as db:
            db.execute(change, ("active", number))
    except MachineError as error:
        log.error("load balancer %s could not be made: %s", number, error)
        with cloud.store.write() as db:
            db.execute(change, ("errored", number))


def add_droplets(db: sqlite3.Connection, load_balancer: LoadBalancer, droplet_ids: Any) -> None:
    for droplet_id in droplet_ids:
        droplet = Droplet.find(db, droplet_id)
        if droplet is None:
            raise unprocessable("droplet_ids", f"there is no droplet {droplet_id}")
        if droplet.vpc_id != load_balancer.vpc.id:
            message = f"droplet {droplet_id} is not in the VPC {load_balancer.vpc.name!r}"
            raise unprocessable("droplet_ids", message)
        db.execute(
            "INSERT INTO load_balancer_droplets VALUES (?, ?) ON CONFLICT DO NOTHING",
            (load_balancer.number, droplet_id),
        )


def save_settings(db: sqlite3.Connection, number: int, settings: dict[str, Any]) -> None:
    db.execute(
        "UPDATE load_balancers SET settings_json = ? WHERE number = ?",
        (json.dumps(settings), number),
    )


def _record(cloud: Cloud, db: sqlite3.Connection, wanted: LoadBalancerRequest) -> LoadBalancer:
    """Insert a new load balancer with its own addresses."""
    vpc, taken = _vpc(cloud, db, wanted), taken_addresses(db)
    identifier = str(uuid4())
    _check_name(db, identifier, wanted.name)
    db.execute(
        "INSERT INTO load_balancers (id, name, status, vpc_id, public_address, private_address, "
        "settings_json, created_at) VALUES (?, ?, 'new', ?, ?, ?, '{}', ?)",
        (
            identifier,
            wanted.name,
            vpc.id,
            str(_last_address(cloud.public_network, taken)),
            str(_last_address(vpc.ip_range, taken)),
            now(),
        ),
    )
    return _save(db, existing(db, identifier), wanted)


def _save(
    db: sqlite3.Connection, load_balancer: LoadBalancer, wanted: LoadBalancerRequest
) -> LoadBalancer:
    """Write everything that can be changed; what the request leaves out gets its default."""
    if wanted.tag and wanted.droplet_ids:
        raise unprocessable("tag", "give either droplet_ids or tag, not both")
    settings = wanted.settings()
    certificates.check_named(db, settings["forwarding_rules"])
    save_settings(db, load_balancer.number, settings)
    _check_name(db, load_balancer.id, wanted.name)
    tag = tags.known(db, [wanted.tag], "tag")[0] if wanted.tag else None
    db.execute(
        "UPDATE load_balancers SET name = ?, tag = ? WHERE number = ?",
        (wanted.name, tag, load_balancer.number),
    )
    db.execute("DELETE FROM load_balancer_droplets WHERE number = ?", (load_balancer.number,))
    add_droplets(db, load_balancer, wanted.droplet_ids or ())
    return existing(db, load_balancer.id)


def _check_name(db: sqlite3.Connection, identifier: str, name: str) -> None:
    clash = "SELECT 1 FROM load_balancers WHERE name = ? AND id != ?"
    if db.execute(clash, (name, identifier)).fetchone():
        raise unprocessable("name", f"there is already a load balancer named {name!r}")


def _vpc(cloud: Cloud, db: sqlite3.Connection, wanted: LoadBalancerRequest) -> Vpc:
    if not wanted.region:
        raise unprocessable("region", "required for a load balancer of the type REGIONAL")
    known_region(wanted.region)
    if not wanted.vpc_uuid:
        return vpcs.default_of(cloud, db, wanted.region)
    vpc = vpcs.find(db, wanted.vpc_uuid)
    if vpc is None:
        raise unprocessable("vpc_uuid", f"there is no VPC '{wanted.vpc_uuid}'")
    if vpc.region != wanted.region:
        message = f"the VPC {vpc.name!r} is in {vpc.region}, not in {wanted.region}"
        raise unprocessable("vpc_uuid", message)
    return vpc


def _last_address(network: IPv4Network, taken: set[IPv4Address]) -> IPv4Address:
    try:
        return choose_last_address(network, taken)
    except NoAddressLeftError as error:
        raise unprocessable("name", f"no more load balancers fit in here: {error}") from None


def _check_kept(load_balancer: LoadBalancer, wanted: LoadBalancerRequest) -> None:
    """Refuse a change of region or VPC."""
    if wanted.region and wanted.region != load_balancer.vpc.region:
        raise unprocessable("region", f"it stays in {load_balancer.vpc.region}")
    if wanted.vpc_uuid and str(wanted.vpc_uuid) != load_balancer.vpc.id:
        raise unprocessable("vpc_uuid", f"it stays in the VPC {load_balancer.vpc.name!r}")


@router.get("/load_balancers")
def list_load_balancers(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT * FROM load_balancers ORDER BY number")
        told = [as_json(db, LoadBalancer.from_row(db, row)) for row in rows]
    return page.answer("load_balancers", told, total)


@router.post("/load_balancers")
def create_load_balancer(cloud: TheCloud, wanted: LoadBalancerRequest) -> JSONResponse:
    with cloud.store.write() as db:
        made = _record(cloud, db, wanted)
        told = as_json(db, made)
    # The official provider checks at once, then only every 15 s: so it pays to wait a moment here.
    _start(cloud, made.number).join(SECONDS_UNTIL_ANSWER)
    return JSONResponse({"load_balancer": told}, status_code=202)


@router.get("/load_balancers/{balancer_id}")
def get_load_balancer(cloud: TheCloud, balancer_id: UuidInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"load_balancer": as_json(db, existing(db, balancer_id))})


@router.put("/load_balancers/{balancer_id}")
def replace_load_balancer(
    cloud: TheCloud, balancer_id: UuidInPath, wanted: LoadBalancerRequest
) -> JSONResponse:
    """Replace the settings without losing requests. One that could not be created is retried."""
    with cloud.change_network() as db:
        before = existing(db, balancer_id)
        _check_kept(before, wanted)
        db.execute(
            "UPDATE load_balancers SET status = 'new' WHERE number = ? AND status = 'errored'",
            (before.number,),
        )
        saved = _save(db, before, wanted)
        told = as_json(db, saved)
    if before.status == "errored":
        _start(cloud, saved.number)
    return JSONResponse({"load_balancer": told})


@router.delete("/load_balancers/{balancer_id}")
def delete_load_balancer(cloud: TheCloud, balancer_id: UuidInPath) -> Response:
    with cloud.change_network() as db:
        number = existing(db, balancer_id).number
        db.execute("DELETE FROM load_balancers WHERE number = ?", (number,))
    return Response(status_code=204)


@router.delete("/load_balancers/{balancer_id}/cache")
def delete_cache(cloud: TheCloud, balancer_id: UuidInPath) -> Response:
    """Only global load balancers have one."""
    with cloud.store.read() as db:
        existing(db, balancer_id)
    raise not_implemented("the caches of global load balancers")
