"""Snapshots: the copied disks of droplets. Each is an image too (see images.py)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from local_cloud.api import images
from local_cloud.api.cloud import TheCloud
from local_cloud.api.errors import not_found
from local_cloud.api.images import FINISHED, Image
from local_cloud.api.pagination import RequestedPage

router = APIRouter()

SnapshotInPath = Annotated[str, Path()]
"""A number; an identifier of a volume's snapshot (a UUID) is not found here."""


def summary(image: Image) -> dict[str, Any]:
    """What snapshots and images have in common in DigitalOcean's answers."""
    names = ("name", "created_at", "regions", "min_disk_size", "size_gigabytes")
    return {name: image[name] for name in names}


def of_droplet(image: Image) -> dict[str, Any]:
    """A snapshot as it is listed under its droplet."""
    return {"id": image["id"], "type": "snapshot"} | summary(image)


def as_json(image: Image, droplet_id: int) -> dict[str, Any]:
    """A snapshot as it is listed by itself: here its identifiers are text."""
    return summary(image) | {
        "id": str(image["id"]),
        "resource_id": str(droplet_id),
        "resource_type": "droplet",
        "tags": image["tags"],
    }


@router.get("/snapshots")
def list_snapshots(
    cloud: TheCloud,
    page: RequestedPage,
    resource_type: Literal["droplet", "volume"] = "droplet",
) -> JSONResponse:
    with cloud.store.read() as db:
        query = f"{FINISHED} AND ? = 'droplet' ORDER BY id"
        rows, total = page.select(db, query, (resource_type,))
        found = [as_json(images.snapshot_image(db, row), row["droplet_id"]) for row in rows]
    return page.answer("snapshots", found, total)


@router.get("/snapshots/{snapshot_id}")
def get_snapshot(cloud: TheCloud, snapshot_id: SnapshotInPath) -> JSONResponse:
    with cloud.store.read() as db:
        row = db.execute(f"{FINISHED} AND CAST(id AS TEXT) = ?", (snapshot_id,)).fetchone()
        if row is None:
            raise not_found("snapshot", snapshot_id)
        found = as_json(images.snapshot_image(db, row), row["droplet_id"])
    return JSONResponse({"snapshot": found})


@router.delete("/snapshots/{snapshot_id}")
def delete_snapshot(cloud: TheCloud, snapshot_id: SnapshotInPath) -> Response:
    with cloud.store.read() as db:
        row = db.execute(f"{FINISHED} AND CAST(id AS TEXT) = ?", (snapshot_id,)).fetchone()
    if row is None:
        raise not_found("snapshot", snapshot_id)
    images.remove_snapshot(cloud, row["id"])
    return Response(status_code=204)
