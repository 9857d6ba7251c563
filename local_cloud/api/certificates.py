"""Certificates for load balancers: brought along (`custom`), or signed by the cloud's authority.

The latter are DigitalOcean's `lets_encrypt`, renewed by themselves: then the id is another one, the
name stays, and the rules of load balancers follow. Renewals: certificate_renewal.py.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from threading import Thread
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api import certificate_checks
from local_cloud.api.certificate_checks import Content
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import forbidden, not_found, unprocessable
from local_cloud.api.identifiers import UuidInPath
from local_cloud.api.models import Certificate, LoadBalancer
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now
from local_cloud.authority import Authority

router = APIRouter()
log = logging.getLogger("slipway.cloud")

LIFE_DAYS = 90
NOT_YET = "0001-01-01T00:00:00Z"
"""How a time is told that is not known yet."""
IN_USE = "Make sure the certificate is not in use before deleting it"
"""DigitalOcean's words, by which the official provider knows that it pays to try again."""

HostName = Annotated[
    str,
    Field(
        pattern=r"^(\*\.)?([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z][a-zA-Z0-9-]*$",
        max_length=253,
    ),
]


class NewCertificate(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=255)]
    type: Literal["custom", "lets_encrypt"] = "custom"
    private_key: str | None = None
    leaf_certificate: str | None = None
    certificate_chain: str | None = None
    dns_names: list[HostName] | None = None


def as_json(certificate: Certificate) -> dict[str, Any]:
    return {
        "id": certificate.id,
        "name": certificate.name,
        "not_after": certificate.not_after,
        "sha1_fingerprint": certificate.sha1_fingerprint,
        "created_at": certificate.created_at,
        "dns_names": list(certificate.dns_names),
        "state": certificate.state,
        "type": certificate.type,
    }


def existing(db: sqlite3.Connection, identifier: object) -> Certificate:
    row = db.execute("SELECT * FROM certificates WHERE id = ?", (str(identifier),)).fetchone()
    if row is None:
        raise not_found("certificate", identifier)
    return Certificate.from_row(row)


def check_named(db: sqlite3.Connection, rules: list[dict[str, Any]]) -> None:
    """422 for a forwarding rule whose certificate is not there, or not there yet."""
    for index, rule in enumerate(rules):
        identifier = rule["certificate_id"]
        if not identifier:
            continue
        path = f"forwarding_rules.{index}.certificate_id"
        row = db.execute("SELECT state FROM certificates WHERE id = ?", (identifier,)).fetchone()
        if row is None:
            raise unprocessable(path, f"there is no certificate {identifier!r}")
        if row["state"] != "verified":
            raise unprocessable(path, f"the certificate {identifier} is {row['state']}")


def save_content(db: sqlite3.Connection, before: str, identifier: str, content: Content) -> None:
    """Write what a certificate consists of from now on, its id, and that it is verified."""
    db.execute(
        "UPDATE certificates SET id = ?, state = 'verified', private_key = ?, chain = ?, "
        "not_after = ?, sha1_fingerprint = ? WHERE id = ?",
        (
            identifier,
            content.private_key,
            content.chain,
            content.not_after,
            content.sha1_fingerprint,
            before,
        ),
    )


def signed(cloud: Cloud, names: tuple[str, ...]) -> Content:
    """A new key and certificate of the cloud's own authority."""
    from cryptography import x509

    issued = Authority.of(cloud.state_folder).issue(names, LIFE_DAYS)
    chain = x509.load_pem_x509_certificates(issued.certificate.encode())
    return certificate_checks.content_of(issued.private_key, chain)


def resume(cloud: Cloud) -> None:
    """After a restart: finish those that were being made."""
    with cloud.store.read() as db:
        rows = db.execute("SELECT * FROM certificates WHERE state = 'pending'").fetchall()
    for row in rows:
        _start(cloud, Certificate.from_row(row))


def _start(cloud: Cloud, certificate: Certificate) -> None:
    Thread(target=_verify, args=(cloud, certificate), daemon=True).start()


def _verify(cloud: Cloud, certificate: Certificate) -> None:
    """Set `pending` to `verified`, unless it was deleted meanwhile."""
    try:
        content = signed(cloud, certificate.dns_names)
        with cloud.store.write() as db:
            save_content(db, certificate.id, certificate.id, content)
    except Exception:
        log.exception("the certificate %r could not be made", certificate.name)
        with cloud.store.write() as db:
            change = "UPDATE certificates SET state = 'error' WHERE id = ?"
            db.execute(change, (certificate.id,))


def _requested_content(new: NewCertificate) -> Content | None:
    """What a custom certificate consists of; None for one that is to be made."""
    parts = ("private_key", "leaf_certificate", "certificate_chain")
    if new.type == "lets_encrypt":
        for part in parts:
            if getattr(new, part):
                raise unprocessable(part, "of no use with a certificate of the type lets_encrypt")
        if not new.dns_names:
            raise unprocessable("dns_names", "required for the type lets_encrypt")
        return None
    if new.dns_names:
        raise unprocessable("dns_names", "of no use with the type custom: the certificate has them")
    for part in parts[:2]:
        if not getattr(new, part):
            raise unprocessable(part, "required for the type custom")
    return certificate_checks.checked(
        new.private_key or "", new.leaf_certificate or "", new.certificate_chain or ""
    )


def _check_domains(db: sqlite3.Connection, names: list[str]) -> None:
    for index, name in enumerate(names):
        if not _has_domain_of(db, name):
            message = f"there is no domain for {name!r} in this account"
            raise unprocessable(f"dns_names.{index}", message)


def _has_domain_of(db: sqlite3.Connection, name: str) -> bool:
    """Whether the account has the name's domain, or one above it."""
    labels = name.removeprefix("*.").lower().split(".")
    above = [".".join(labels[index:]) for index in range(len(labels))]
    marks = ", ".join("?" * len(above))
    found = db.execute(f"SELECT 1 FROM domains WHERE name IN ({marks})", above)  # noqa: S608
    return found.fetchone() is not None


@router.get("/certificates")
def list_certificates(
    cloud: TheCloud, page: RequestedPage, name: str | None = None
) -> JSONResponse:
    query, values = "SELECT * FROM certificates", []
    if name:
        query, values = f"{query} WHERE name = ?", [name]
    with cloud.store.read() as db:
        rows, total = page.select(db, f"{query} ORDER BY created_at, rowid", values)
    found = [as_json(Certificate.from_row(row)) for row in rows]
    return page.answer("certificates", found, total)


@router.post("/certificates")
def create_certificate(cloud: TheCloud, new: NewCertificate) -> JSONResponse:
    content, identifier = _requested_content(new), str(uuid4())
    with cloud.store.write() as db:
        if db.execute("SELECT 1 FROM certificates WHERE name = ?", (new.name,)).fetchone():
            raise unprocessable("name", f"there is already a certificate named {new.name!r}")
        names = list(dict.fromkeys(new.dns_names or ()))
        if content is None:
            _check_domains(db, names)
        db.execute(
            "INSERT INTO certificates VALUES (?, ?, ?, 'pending', ?, '', '', ?, '', ?)",
            (
                identifier,
                new.name,
                new.type,
                json.dumps(names if content is None else content.dns_names),
                NOT_YET,
                now(),
            ),
        )
        if content is not None:
            save_content(db, identifier, identifier, content)
        made = existing(db, identifier)
    if content is None:
        _start(cloud, made)
    return JSONResponse({"certificate": as_json(made)}, status_code=201)


@router.get("/certificates/{certificate_id}")
def get_certificate(cloud: TheCloud, certificate_id: UuidInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"certificate": as_json(existing(db, certificate_id))})


@router.delete("/certificates/{certificate_id}")
def delete_certificate(cloud: TheCloud, certificate_id: UuidInPath) -> Response:
    with cloud.store.write() as db:
        identifier = existing(db, certificate_id).id
        for load_balancer in LoadBalancer.all(db):
            rules = load_balancer.settings["forwarding_rules"]
            if any(rule["certificate_id"] == identifier for rule in rules):
                raise forbidden(IN_USE)
        db.execute("DELETE FROM certificates WHERE id = ?", (identifier,))
    return Response(status_code=204)
