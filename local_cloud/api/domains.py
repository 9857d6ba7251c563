"""Domains: their records are answered by a real name server (`NameServer`)."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from local_cloud.api.cloud import TheCloud
from local_cloud.api.domain_models import APEX, Domain, DomainRecord, first_serial
from local_cloud.api.domain_names import address, domain_name
from local_cloud.api.errors import not_found, not_implemented, refused_record
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now
from local_cloud.api.zone_file import NAME_SERVERS
from local_cloud.machine import MachineError

DEFAULT_TTL = 1800
"""Seconds."""

DomainInPath = Annotated[str, Path()]


class NewDomain(BaseModel):
    name: str
    ip_address: str | None = None


def need_name_server(cloud: TheCloud) -> None:
    """Refuse domains by name, with the reason, where this computer has no name server."""
    try:
        cloud.name_server.check()
    except MachineError as error:
        raise not_implemented(f"domains on this computer: {error}") from None


router = APIRouter(dependencies=[Depends(need_name_server)])


def as_json(domain: Domain, zone_file: str | None) -> dict[str, Any]:
    return {"name": domain.name, "ttl": domain.ttl, "zone_file": zone_file}


def existing(db: sqlite3.Connection, name: str) -> Domain:
    row = db.execute("SELECT * FROM domains WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise not_found("domain", name)
    return Domain.from_row(row)


def _with_zone_file(db: sqlite3.Connection, domain: Domain) -> dict[str, Any]:
    return as_json(domain, domain.zone(DomainRecord.of(db, domain.name)).text)


@router.get("/domains")
def list_domains(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT * FROM domains ORDER BY rowid")
        domains = [_with_zone_file(db, Domain.from_row(row)) for row in rows]
    return page.answer("domains", domains, total)


@router.post("/domains")
def create_domain(cloud: TheCloud, new: NewDomain) -> JSONResponse:
    name = domain_name(new.name)
    with cloud.change_domains() as db:
        if db.execute("SELECT 1 FROM domains WHERE name = ?", (name,)).fetchone():
            raise refused_record(f"domain '{name}': name already exists")
        db.execute(
            "INSERT INTO domains (name, ttl, serial, created_at) VALUES (?, ?, ?, ?)",
            (name, DEFAULT_TTL, first_serial(), now()),
        )
        _add_first_records(db, name, new.ip_address)
        created = as_json(existing(db, name), None)
    return JSONResponse({"domain": created}, status_code=201)


def _add_first_records(db: sqlite3.Connection, domain: str, ip_address: str | None) -> None:
    """What appears by itself: the SOA record, whose data is its time to live, and the NS ones."""
    records = [("SOA", str(DEFAULT_TTL)), *(("NS", server) for server in NAME_SERVERS)]
    if ip_address:
        kind = "AAAA" if ":" in ip_address else "A"
        records.append((kind, address(ip_address, kind, "ip_address")))
    for kind, data in records:
        db.execute(
            "INSERT INTO domain_records (domain, type, name, data, ttl) VALUES (?, ?, ?, ?, ?)",
            (domain, kind, APEX, data, DEFAULT_TTL),
        )


@router.get("/domains/{name}")
def get_domain(cloud: TheCloud, name: DomainInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"domain": _with_zone_file(db, existing(db, name))})


@router.delete("/domains/{name}")
def delete_domain(cloud: TheCloud, name: DomainInPath) -> Response:
    """Every record goes with it, whoever made it: so it is at DigitalOcean."""
    with cloud.change_domains() as db:
        db.execute("DELETE FROM domains WHERE name = ?", (existing(db, name).name,))
    return Response(status_code=204)
