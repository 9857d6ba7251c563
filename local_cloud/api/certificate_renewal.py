"""Renewals of certificates that the cloud's authority has signed: in time, or when asked for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local_cloud.api.certificates import LIFE_DAYS, as_json, existing, save_content, signed
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import not_found, unprocessable
from local_cloud.api.load_balancers import save_settings
from local_cloud.api.models import Certificate, LoadBalancer

router = APIRouter()
"""Not of DigitalOcean's API, where nobody can ask for a renewal: below /local."""
log = logging.getLogger("slipway.cloud")

LEFT = timedelta(days=LIFE_DAYS / 3)
"""A certificate with less than this of its life left is renewed, as Let's Encrypt advises."""
SECONDS_BETWEEN_LOOKS = 3600.0


def renew(cloud: Cloud, name: str) -> Certificate:
    """Renew the certificate of a name: another id, and every forwarding rule with it.

    Load balancers show the new one when this returns, and no connection is lost. Raises `ApiError`
    for a name that is unknown or not the cloud's own to renew.
    """
    with cloud.store.read() as db:
        row = db.execute("SELECT * FROM certificates WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise not_found("certificate", name)
    before = Certificate.from_row(row)
    if before.type != "lets_encrypt" or before.state != "verified":
        message = f"the certificate {name!r} is {before.type} and {before.state}"
        raise unprocessable("name", f"{message}: only verified ones of lets_encrypt are renewed")
    content, identifier = signed(cloud, before.dns_names), str(uuid4())
    with cloud.change_network() as db:
        existing(db, before.id)  # 404 if it was deleted or renewed meanwhile
        save_content(db, before.id, identifier, content)
        for load_balancer in LoadBalancer.all(db):
            rules = load_balancer.settings["forwarding_rules"]
            for rule in rules:
                if rule["certificate_id"] == before.id:
                    rule["certificate_id"] = identifier
            save_settings(db, load_balancer.number, load_balancer.settings)
        return existing(db, identifier)


def due(cloud: Cloud) -> list[str]:
    """The names of those that are to be renewed now."""
    limit = f"{datetime.now(UTC) + LEFT:%Y-%m-%dT%H:%M:%SZ}"
    with cloud.store.read() as db:
        rows = db.execute(
            "SELECT name FROM certificates "
            "WHERE type = 'lets_encrypt' AND state = 'verified' AND not_after < ?",
            (limit,),
        )
        return [row["name"] for row in rows]


def keep_renewed(cloud: Cloud, ended: Event) -> None:
    """Look now and then, in a thread, until the cloud ends."""

    def look() -> None:
        while True:
            for name in due(cloud):
                try:
                    renew(cloud, name)
                    log.info("the certificate %r is renewed", name)
                except Exception:
                    log.exception("the certificate %r could not be renewed", name)
            if ended.wait(SECONDS_BETWEEN_LOOKS):
                return

    Thread(target=look, daemon=True).start()


@router.post("/certificates/{name}/renew")
def renew_certificate(cloud: TheCloud, name: str) -> JSONResponse:
    return JSONResponse({"certificate": as_json(renew(cloud, name))})
