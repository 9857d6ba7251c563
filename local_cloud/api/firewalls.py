"""Firewalls. A droplet without one is open; with one, all is dropped but what its rules permit."""

from __future__ import annotations

import json
import sqlite3
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api import tags
from local_cloud.api.cloud import TheCloud
from local_cloud.api.errors import conflict, not_found, unprocessable
from local_cloud.api.firewall_rules import NormalRule, Rules, known_droplet, meaning, unique
from local_cloud.api.identifiers import Number, UuidInPath
from local_cloud.api.models import Firewall
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now

router = APIRouter()

FirewallName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9.-]+$", max_length=255)]


class WholeFirewall(Rules):
    name: FirewallName
    droplet_ids: list[Number] | None = None
    tags: list[str] | None = None


class DropletIds(BaseModel):
    droplet_ids: list[Number]


class TagNames(BaseModel):
    tags: list[str]


def as_json(firewall: Firewall) -> dict[str, Any]:
    """`succeeded` always: a rule is in force before the request that made it is answered."""
    return {
        "id": firewall.id,
        "name": firewall.name,
        "status": "succeeded",
        "pending_changes": [],
        "created_at": firewall.created_at,
        "inbound_rules": list(firewall.inbound),
        "outbound_rules": list(firewall.outbound),
        "droplet_ids": list(firewall.droplet_ids),
        "tags": list(firewall.tags),
    }


def existing(db: sqlite3.Connection, identifier: object) -> Firewall:
    row = db.execute("SELECT * FROM firewalls WHERE id = ?", (str(identifier),)).fetchone()
    if row is None:
        raise not_found("firewall", identifier)
    return Firewall.from_row(db, row)


def _save(db: sqlite3.Connection, identifier: str, firewall: WholeFirewall) -> None:
    """Write a whole firewall, new or not: what the request leaves out is removed."""
    clash = "SELECT 1 FROM firewalls WHERE name = ? AND id != ?"
    if db.execute(clash, (firewall.name, identifier)).fetchone():
        raise conflict(f"name: there is already a firewall named {firewall.name!r}")
    inbound, outbound = firewall.normal(db)
    if not inbound and not outbound:
        raise unprocessable("inbound_rules", "give at least one inbound or outbound rule")
    db.execute(
        "INSERT INTO firewalls (id, name, inbound_json, outbound_json, created_at) "
        "VALUES (?, ?, '[]', '[]', ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        (identifier, firewall.name, now()),
    )
    _save_rules(db, identifier, inbound, outbound)
    for table in ("firewall_droplets", "firewall_tags"):
        db.execute(f"DELETE FROM {table} WHERE firewall_id = ?", (identifier,))  # noqa: S608
    _add_droplets(db, identifier, firewall.droplet_ids or ())
    _add_tags(db, identifier, firewall.tags or ())


def _save_rules(
    db: sqlite3.Connection, identifier: str, inbound: list[NormalRule], outbound: list[NormalRule]
) -> None:
    db.execute(
        "UPDATE firewalls SET inbound_json = ?, outbound_json = ? WHERE id = ?",
        (json.dumps(inbound), json.dumps(outbound), identifier),
    )


def _add_droplets(db: sqlite3.Connection, identifier: str, droplet_ids: Any) -> None:
    for droplet_id in droplet_ids:
        db.execute(
            "INSERT INTO firewall_droplets VALUES (?, ?) ON CONFLICT DO NOTHING",
            (identifier, known_droplet(db, droplet_id, "droplet_ids")),
        )


def _add_tags(db: sqlite3.Connection, identifier: str, names: Any) -> None:
    for name in tags.known(db, names):
        db.execute(
            "INSERT INTO firewall_tags VALUES (?, ?) ON CONFLICT DO NOTHING", (identifier, name)
        )


@router.get("/firewalls")
def list_firewalls(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT * FROM firewalls ORDER BY created_at, rowid")
        firewalls = [as_json(Firewall.from_row(db, row)) for row in rows]
    return page.answer("firewalls", firewalls, total)


@router.post("/firewalls")
def create_firewall(cloud: TheCloud, new: WholeFirewall) -> JSONResponse:
    identifier = str(uuid4())
    with cloud.change_network() as db:
        _save(db, identifier, new)
        created = as_json(existing(db, identifier))
    return JSONResponse({"firewall": created}, status_code=202)


@router.get("/firewalls/{firewall_id}")
def get_firewall(cloud: TheCloud, firewall_id: UuidInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"firewall": as_json(existing(db, firewall_id))})


@router.put("/firewalls/{firewall_id}")
def replace_firewall(
    cloud: TheCloud, firewall_id: UuidInPath, wanted: WholeFirewall
) -> JSONResponse:
    with cloud.change_network() as db:
        _save(db, existing(db, firewall_id).id, wanted)
        replaced = as_json(existing(db, firewall_id))
    return JSONResponse({"firewall": replaced})


@router.delete("/firewalls/{firewall_id}")
def delete_firewall(cloud: TheCloud, firewall_id: UuidInPath) -> Response:
    with cloud.change_network() as db:
        db.execute("DELETE FROM firewalls WHERE id = ?", (existing(db, firewall_id).id,))
    return Response(status_code=204)


@router.post("/firewalls/{firewall_id}/droplets")
def add_droplets(cloud: TheCloud, firewall_id: UuidInPath, added: DropletIds) -> Response:
    with cloud.change_network() as db:
        _add_droplets(db, existing(db, firewall_id).id, added.droplet_ids)
    return Response(status_code=204)


@router.delete("/firewalls/{firewall_id}/droplets")
def remove_droplets(cloud: TheCloud, firewall_id: UuidInPath, removed: DropletIds) -> Response:
    with cloud.change_network() as db:
        identifier = existing(db, firewall_id).id
        for droplet_id in removed.droplet_ids:
            db.execute(
                "DELETE FROM firewall_droplets WHERE firewall_id = ? AND droplet_id = ?",
                (identifier, known_droplet(db, droplet_id, "droplet_ids")),
            )
    return Response(status_code=204)


@router.post("/firewalls/{firewall_id}/tags")
def add_tags(cloud: TheCloud, firewall_id: UuidInPath, added: TagNames) -> Response:
    with cloud.change_network() as db:
        _add_tags(db, existing(db, firewall_id).id, added.tags)
    return Response(status_code=204)


@router.delete("/firewalls/{firewall_id}/tags")
def remove_tags(cloud: TheCloud, firewall_id: UuidInPath, removed: TagNames) -> Response:
    with cloud.change_network() as db:
        identifier = existing(db, firewall_id).id
        for name in tags.known(db, removed.tags):
            db.execute(
                "DELETE FROM firewall_tags WHERE firewall_id = ? AND tag = ?", (identifier, name)
            )
    return Response(status_code=204)


@router.post("/firewalls/{firewall_id}/rules")
def add_rules(cloud: TheCloud, firewall_id: UuidInPath, added: Rules) -> Response:
    with cloud.change_network() as db:
        firewall = existing(db, firewall_id)
        inbound, outbound = added.normal(db)
        _save_rules(
            db,
            firewall.id,
            unique((*firewall.inbound, *inbound)),
            unique((*firewall.outbound, *outbound)),
        )
    return Response(status_code=204)


@router.delete("/firewalls/{firewall_id}/rules")
def remove_rules(cloud: TheCloud, firewall_id: UuidInPath, removed: Rules) -> Response:
    with cloud.change_network() as db:
        firewall = existing(db, firewall_id)
        inbound, outbound = removed.normal(db)
        _save_rules(
            db,
            firewall.id,
            _without(firewall.inbound, inbound, "inbound_rules"),
            _without(firewall.outbound, outbound, "outbound_rules"),
        )
    return Response(status_code=204)


def _without(
    rules: tuple[NormalRule, ...], removed: list[NormalRule], field: str
) -> list[NormalRule]:
    kept = {meaning(rule): rule for rule in rules}
    for rule in removed:
        if kept.pop(meaning(rule), None) is None:
            raise unprocessable(field, f"the firewall has no rule {json.dumps(rule)}")
    return list(kept.values())
