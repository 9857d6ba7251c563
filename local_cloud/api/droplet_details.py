"""Lists under a droplet: snapshots, firewalls, neighbors, and what the local cloud has none of."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local_cloud.api import firewalls, images, snapshots
from local_cloud.api.cloud import TheCloud
from local_cloud.api.droplets import describe, existing
from local_cloud.api.identifiers import NumberInPath
from local_cloud.api.images import FINISHED
from local_cloud.api.models import Droplet, Firewall
from local_cloud.api.pagination import RequestedPage

router = APIRouter()


@router.get("/droplets/{droplet_id}/snapshots")
def list_snapshots(cloud: TheCloud, droplet_id: NumberInPath, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        existing(db, droplet_id)
        query = f"{FINISHED} AND droplet_id = ? ORDER BY id"
        rows, total = page.select(db, query, (droplet_id,))
        found = [snapshots.of_droplet(images.snapshot_image(db, row)) for row in rows]
    return page.answer("snapshots", found, total)


@router.get("/droplets/{droplet_id}/firewalls")
def list_firewalls(cloud: TheCloud, droplet_id: NumberInPath, page: RequestedPage) -> JSONResponse:
    """All that cover the droplet, by its identifier or by one of its tags."""
    with cloud.store.read() as db:
        droplet = existing(db, droplet_id)
        covering = [firewall for firewall in Firewall.all(db) if firewall.covers(droplet)]
    found = [firewalls.as_json(firewall) for firewall in page.of(covering)]
    return page.answer("firewalls", found, len(covering))


@router.get("/droplets/{droplet_id}/neighbors")
def list_neighbors(cloud: TheCloud, droplet_id: NumberInPath) -> JSONResponse:
    """Droplets on the same physical machine: here, all others."""
    with cloud.store.read() as db:
        existing(db, droplet_id)
        others = [droplet for droplet in Droplet.all(db) if droplet.id != droplet_id]
        return JSONResponse({"droplets": describe(cloud, db, others)})


@router.get("/droplets/{droplet_id}/kernels")
def list_kernels(cloud: TheCloud, droplet_id: NumberInPath, page: RequestedPage) -> JSONResponse:
    """Always empty: a droplet runs on this machine's kernel."""
    with cloud.store.read() as db:
        existing(db, droplet_id)
    return page.answer("kernels", [], 0)


@router.get("/droplets/{droplet_id}/backups")
def list_backups(cloud: TheCloud, droplet_id: NumberInPath, page: RequestedPage) -> JSONResponse:
    """Always empty: backups cannot be ordered here."""
    with cloud.store.read() as db:
        existing(db, droplet_id)
    return page.answer("backups", [], 0)


@router.get("/droplets/{droplet_id}/backups/policy")
def get_backup_policy(cloud: TheCloud, droplet_id: NumberInPath) -> JSONResponse:
    with cloud.store.read() as db:
        existing(db, droplet_id)
    return JSONResponse({"policy": _no_backups(droplet_id)})


@router.get("/droplets/backups/policies")
def list_backup_policies(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT id FROM droplets ORDER BY id")
    return page.answer("policies", {str(row["id"]): _no_backups(row["id"]) for row in rows}, total)


@router.get("/droplets/backups/supported_policies")
def list_supported_backup_policies() -> JSONResponse:
    return JSONResponse({"supported_policies": []})


def _no_backups(droplet_id: int) -> dict[str, Any]:
    return {"droplet_id": droplet_id, "backup_enabled": False, "next_backup_window": None}
