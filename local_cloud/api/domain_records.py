"""The records of domains. Request bodies: domain_record_requests.py."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.domain_models import APEX, DomainRecord, count_change
from local_cloud.api.domain_record_requests import (
    NewRecord,
    RecordRequest,
    RecordType,
    changed_record,
    new_record,
)
from local_cloud.api.domains import DEFAULT_TTL, DomainInPath, need_name_server
from local_cloud.api.domains import existing as existing_domain
from local_cloud.api.errors import not_found, refused_record
from local_cloud.api.identifiers import NumberInPath
from local_cloud.api.pagination import RequestedPage

router = APIRouter(prefix="/domains/{domain}", dependencies=[Depends(need_name_server)])


def existing(db: sqlite3.Connection, domain: str, number: int) -> DomainRecord:
    row = db.execute(
        "SELECT * FROM domain_records WHERE domain = ? AND id = ?",
        (existing_domain(db, domain).name, number),
    ).fetchone()
    if row is None:
        raise not_found("domain record", number)
    return DomainRecord.from_row(row)


@router.get("/records")
def list_records(
    cloud: TheCloud,
    domain: DomainInPath,
    page: RequestedPage,
    name: Annotated[str | None, Query()] = None,
    kind: Annotated[RecordType | None, Query(alias="type")] = None,
) -> JSONResponse:
    """All, or those of a whole name such as `www.example.com`, or of a type."""
    query, values = "SELECT * FROM domain_records WHERE domain = ?", [domain]
    if kind is not None:
        query, values = f"{query} AND type = ?", [*values, kind]
    if name is not None:
        query, values = f"{query} AND name = ?", [*values, _within(name, domain)]
    with cloud.store.read() as db:
        existing_domain(db, domain)
        rows, total = page.select(db, f"{query} ORDER BY id", values)
    records = [DomainRecord.from_row(row).as_json() for row in rows]
    return page.answer("domain_records", records, total)


def _within(whole_name: str, domain: str) -> str:
    """The name within the domain; one of another domain is no name that a record can have."""
    name = whole_name.removesuffix(".").lower()
    if name == domain.lower():
        return APEX
    return name.removesuffix(f".{domain.lower()}") if name.endswith(f".{domain.lower()}") else ""


@router.post("/records")
def create_record(cloud: TheCloud, domain: DomainInPath, new: NewRecord) -> JSONResponse:
    with cloud.change_domains() as db:
        name = existing_domain(db, domain).name
        columns = {"domain": name, "ttl": DEFAULT_TTL, **new_record(new, name)}
        columns["ttl"] = new.ttl or _ttl_of_the_others(db, columns) or DEFAULT_TTL
        _refuse_beside_an_alias(db, columns)
        places = ", ".join("?" * len(columns))
        row = db.execute(
            f"INSERT INTO domain_records ({', '.join(columns)}) "  # noqa: S608
            f"VALUES ({places}) RETURNING id",
            tuple(columns.values()),
        ).fetchone()
        _give_one_ttl(db, columns)
        count_change(db, name)
        created = existing(db, name, row["id"]).as_json()
    return JSONResponse({"domain_record": created}, status_code=201)


@router.get("/records/{number}")
def get_record(cloud: TheCloud, domain: DomainInPath, number: NumberInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"domain_record": existing(db, domain, number).as_json()})


@router.patch("/records/{number}")
def update_record(
    cloud: TheCloud, domain: DomainInPath, number: NumberInPath, wanted: RecordRequest
) -> JSONResponse:
    return JSONResponse({"domain_record": _changed(cloud, domain, number, wanted)})


@router.put("/records/{number}")
def replace_record(
    cloud: TheCloud, domain: DomainInPath, number: NumberInPath, wanted: RecordRequest
) -> JSONResponse:
    """What the request leaves out stays, as with PATCH: DigitalOcean's clients rely on it."""
    return JSONResponse({"domain_record": _changed(cloud, domain, number, wanted)})


def _changed(cloud: Cloud, domain: str, number: int, wanted: RecordRequest) -> dict[str, Any]:
    with cloud.change_domains() as db:
        before = existing(db, domain, number)
        columns = {"domain": before.domain, **changed_record(before, wanted)}
        columns["ttl"] = wanted.ttl or before.ttl
        _refuse_beside_an_alias(db, columns, number)
        assignments = ", ".join(f"{column} = ?" for column in columns)
        db.execute(
            f"UPDATE domain_records SET {assignments} WHERE id = ?",  # noqa: S608
            (*columns.values(), number),
        )
        _give_one_ttl(db, columns)
        count_change(db, before.domain)
        return existing(db, domain, number).as_json()


@router.delete("/records/{number}")
def delete_record(cloud: TheCloud, domain: DomainInPath, number: NumberInPath) -> Response:
    with cloud.change_domains() as db:
        record = existing(db, domain, number)
        if record.type == "SOA":
            raise refused_record("The SOA record goes with its domain")
        db.execute("DELETE FROM domain_records WHERE id = ?", (number,))
        count_change(db, record.domain)
    return Response(status_code=204)


def _refuse_beside_an_alias(
    db: sqlite3.Connection, columns: dict[str, Any], number: int | None = None
) -> None:
    """A name with a CNAME record has no other (RFC 1034, 3.6.2)."""
    others = db.execute(
        "SELECT type FROM domain_records WHERE domain = ? AND name = ? AND id IS NOT ?",
        (columns["domain"], columns["name"], number),
    ).fetchall()
    if others and columns["type"] == "CNAME":
        raise refused_record("CNAME records cannot share a name with other records")
    if any(other["type"] == "CNAME" for other in others):
        raise refused_record(f"{columns['type']} records cannot share a name with a CNAME record")


SAME_SET = "domain = ? AND name = ? AND type = ?"


def _set_of(columns: dict[str, Any]) -> tuple[str, str, str]:
    return columns["domain"], columns["name"], columns["type"]


def _ttl_of_the_others(db: sqlite3.Connection, columns: dict[str, Any]) -> int | None:
    query = f"SELECT ttl FROM domain_records WHERE {SAME_SET}"  # noqa: S608
    row = db.execute(query, _set_of(columns)).fetchone()
    return row["ttl"] if row else None


def _give_one_ttl(db: sqlite3.Connection, columns: dict[str, Any]) -> None:
    """The records of one name and type live equally long: the last word counts (RFC 2181, 5.2)."""
    db.execute(
        f"UPDATE domain_records SET ttl = ? WHERE {SAME_SET}",  # noqa: S608
        (columns["ttl"], *_set_of(columns)),
    )
