"""Images: Debian as this machine builds it, and snapshots of droplets."""

from __future__ import annotations

import json
import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api.catalogue import BASE_IMAGES, REGIONS, base_image_json
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import (
    conflict,
    forbidden,
    not_found,
    not_implemented,
    unprocessable,
)
from local_cloud.api.identifiers import NumberInPath
from local_cloud.api.pagination import RequestedPage
from local_cloud.machine import MachineError

router = APIRouter()

Image = dict[str, Any]

FINISHED = "SELECT * FROM snapshots WHERE size_gigabytes IS NOT NULL"

Distribution = Literal[
    "Arch Linux",
    "CentOS",
    "CoreOS",
    "Debian",
    "Fedora",
    "Fedora Atomic",
    "FreeBSD",
    "Gentoo",
    "openSUSE",
    "RancherOS",
    "Rocky Linux",
    "Ubuntu",
    "Unknown",
]


class ChangedImage(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    distribution: Distribution | None = None
    description: Annotated[str, Field(max_length=255)] | None = None


class ImageAction(BaseModel):
    type: Literal["convert", "transfer"]


def snapshot_image(db: sqlite3.Connection, row: sqlite3.Row) -> Image:
    tags = db.execute(
        "SELECT tag FROM tagged_resources WHERE resource_type = 'image' AND resource_id = ? "
        "ORDER BY rowid",
        (row["id"],),
    )
    return {
        "id": row["id"],
        "name": row["name"],
        "type": "snapshot",
        "distribution": row["distribution"],
        "slug": None,
        "public": False,
        "regions": list(REGIONS),
        "created_at": row["created_at"],
        "min_disk_size": row["min_disk_size"],
        "size_gigabytes": row["size_gigabytes"],
        "description": row["description"],
        "tags": [tag["tag"] for tag in tags],
        "status": "available",
    }


def all_images(db: sqlite3.Connection) -> list[Image]:
    bases = [base_image_json(image) for image in BASE_IMAGES.values()]
    return bases + [snapshot_image(db, row) for row in db.execute(f"{FINISHED} ORDER BY id")]


def find(db: sqlite3.Connection, identifier: int | str) -> Image | None:
    """The image with this number or slug; a number may come as text, as in a path."""
    for image in all_images(db):
        if str(identifier) in (str(image["id"]), image["slug"]):
            return image
    return None


def requested(db: sqlite3.Connection, identifier: int | str) -> Image:
    """The image that a request names in its field `image`; 422 says which there are."""
    image = find(db, identifier)
    if image is None:
        there_are = ", ".join(str(image["slug"] or image["id"]) for image in all_images(db))
        message = f"there is no image {identifier!r}; the local cloud has {there_are}"
        raise unprocessable("image", message)
    return image


def set_for_droplet(db: sqlite3.Connection, droplet_id: int, image: Image) -> None:
    """What the droplet is built from, now and when it is rebuilt after a crash."""
    db.execute("UPDATE droplets SET image_json = ? WHERE id = ?", (json.dumps(image), droplet_id))


def existing(db: sqlite3.Connection, identifier: int | str) -> Image:
    image = find(db, identifier)
    if image is None:
        raise not_found("image", identifier)
    return image


def _own(db: sqlite3.Connection, identifier: int) -> Image:
    image = existing(db, identifier)
    if image["public"]:
        raise forbidden(f"{image['slug']} is a public image: it cannot be changed or deleted")
    return image


def remove_snapshot(cloud: Cloud, snapshot_id: int) -> None:
    """Delete the disk, then the record: after a crash in between it can be deleted again."""
    try:
        cloud.hypervisor.delete_snapshot(snapshot_id)
    except MachineError as error:
        raise conflict(str(error)) from error
    with cloud.store.write() as db:
        db.execute("DELETE FROM snapshots WHERE id = ?", (snapshot_id,))


@router.get("/images")
def list_images(
    cloud: TheCloud,
    page: RequestedPage,
    type: Literal["application", "distribution"] | None = None,
    private: bool = False,
    tag_name: str | None = None,
) -> JSONResponse:
    with cloud.store.read() as db:
        images = all_images(db)
    if type:
        images = [image for image in images if type == "distribution" and image["type"] == "base"]
    if private:
        images = [image for image in images if not image["public"]]
    if tag_name is not None:
        images = [image for image in images if tag_name in image["tags"]]
    return page.answer("images", page.of(images), len(images))


@router.post("/images")
def refuse_custom_image() -> Response:
    raise not_implemented("custom images; take a snapshot of a droplet instead")


@router.get("/images/{image_id}")
def get_image(cloud: TheCloud, image_id: Annotated[str, Path()]) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"image": existing(db, image_id)})


@router.put("/images/{image_id}")
def update_image(cloud: TheCloud, image_id: NumberInPath, changed: ChangedImage) -> JSONResponse:
    with cloud.store.write() as db:
        image = _own(db, image_id) | changed.model_dump(exclude_none=True)
        db.execute(
            "UPDATE snapshots SET name = ?, distribution = ?, description = ? WHERE id = ?",
            (image["name"], image["distribution"], image["description"], image_id),
        )
        return JSONResponse({"image": existing(db, image_id)})


@router.delete("/images/{image_id}")
def delete_image(cloud: TheCloud, image_id: NumberInPath) -> Response:
    with cloud.store.read() as db:
        _own(db, image_id)
    remove_snapshot(cloud, image_id)
    return Response(status_code=204)


@router.post("/images/{image_id}/account_transfer")
@router.post("/images/{image_id}/account_transfer/{step}")
def refuse_account_transfer(cloud: TheCloud, image_id: NumberInPath) -> Response:
    with cloud.store.read() as db:
        existing(db, image_id)
    raise not_implemented("transfers of images between accounts")


@router.get("/images/{image_id}/actions")
def list_image_actions(
    cloud: TheCloud, image_id: NumberInPath, page: RequestedPage
) -> JSONResponse:
    """Always empty: every region is this machine, so that an image never moves."""
    with cloud.store.read() as db:
        existing(db, image_id)
    return page.answer("actions", [], 0)


@router.post("/images/{image_id}/actions")
def refuse_image_action(cloud: TheCloud, image_id: NumberInPath, wished: ImageAction) -> Response:
    with cloud.store.read() as db:
        existing(db, image_id)
    reasons = {
        "convert": "only backups are converted, and the local cloud makes none",
        "transfer": "every image of the local cloud is in all of its regions already",
    }
    raise unprocessable("type", f"{wished.type} is not supported: {reasons[wished.type]}")


@router.get("/images/{image_id}/actions/{action_id}")
def get_image_action(cloud: TheCloud, image_id: NumberInPath, action_id: NumberInPath) -> Response:
    with cloud.store.read() as db:
        existing(db, image_id)
    raise not_found("action", action_id)
