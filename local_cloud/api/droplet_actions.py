"""Actions on droplets: checked here, carried out by the action runner."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api import actions, images, tags
from local_cloud.api.action_runner import TheActionRunner
from local_cloud.api.actions import Action
from local_cloud.api.catalogue import known_size
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.droplet_requests import DropletName
from local_cloud.api.droplets import existing
from local_cloud.api.errors import not_found, unprocessable
from local_cloud.api.identifiers import Number, NumberInPath
from local_cloud.api.models import Droplet
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now

router = APIRouter()

BY_TAG = ("power_cycle", "power_on", "power_off", "shutdown", "snapshot")
"""What DigitalOcean does to all droplets of a tag, without what the local cloud does not do."""


class Power(BaseModel):
    type: Literal["reboot", "power_cycle", "shutdown", "power_off", "power_on"]


class Rename(BaseModel):
    type: Literal["rename"]
    name: DropletName


class Resize(BaseModel):
    type: Literal["resize"]
    size: str
    disk: bool = False
    """Whether the disk grows too; then there is no way back to a smaller one."""


class Rebuild(BaseModel):
    """A fresh disk from an image; the droplet keeps its identifier, addresses and user data."""

    type: Literal["rebuild", "restore"]
    image: Number | str


class Snapshot(BaseModel):
    type: Literal["snapshot"]
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None


class Unsupported(BaseModel):
    type: Literal[
        "enable_backups",
        "disable_backups",
        "change_backup_policy",
        "password_reset",
        "change_kernel",
        "enable_ipv6",
    ]


Wish = Annotated[
    Power | Rename | Resize | Rebuild | Snapshot | Unsupported, Field(discriminator="type")
]


def begin(cloud: Cloud, db: sqlite3.Connection, droplet: Droplet, wish: Wish) -> Action:
    """Check and record the action; 422 when it cannot be done to the droplet as it is now."""
    if isinstance(wish, Unsupported):
        raise unprocessable("type", f"{wish.type} is not supported by the local cloud")
    who = f"droplet {droplet.id} ({droplet.name})"
    if droplet.status == "archive":
        raise unprocessable("type", f"{who} is being deleted")
    if droplet.id in actions.busy_droplets(db):
        raise unprocessable("type", f"Droplet already has a pending event: {who}")
    if droplet.status == "new" and not isinstance(wish, Rebuild):
        raise unprocessable("type", f"{who} could not be created; rebuild or delete it")
    parameters: dict[str, Any] = {}
    match wish:
        case Power(type="reboot") if not cloud.hypervisor.is_running(droplet.id):
            raise unprocessable("type", f"{who} is powered off; use power_on")
        case Rename():
            parameters = {"name": wish.name}
        case Resize():
            parameters = _new_size(cloud, droplet, wish)
        case Rebuild():
            _set_image(db, droplet, wish)
        case Snapshot():
            parameters = {"snapshot_id": _new_snapshot(db, droplet, wish)}
    return actions.begin(db, droplet, wish.type, **parameters)


def _new_size(cloud: Cloud, droplet: Droplet, wish: Resize) -> dict[str, Any]:
    size = known_size(wish.size)
    if droplet.status == "active" and cloud.hypervisor.is_running(droplet.id):
        raise unprocessable("type", f"power off droplet {droplet.id} before it is resized")
    if size.disk < droplet.disk:
        message = (
            f"{size.slug} has {size.disk} GiB of disk, the droplet {droplet.disk}: no shrinking"
        )
        raise unprocessable("size", message)
    return {"size": size.slug, "disk": size.disk if wish.disk else droplet.disk}


def _set_image(db: sqlite3.Connection, droplet: Droplet, wish: Rebuild) -> None:
    image = images.requested(db, wish.image)
    if wish.type == "restore" and image["public"]:
        raise unprocessable("image", "only snapshots are restored; use rebuild for a base image")
    if image["min_disk_size"] > droplet.disk:
        message = f"needs {image['min_disk_size']} GiB of disk, the droplet has {droplet.disk}"
        raise unprocessable("image", message)
    images.set_for_droplet(db, droplet.id, image)


def _new_snapshot(db: sqlite3.Connection, droplet: Droplet, wish: Snapshot) -> int:
    """Record a snapshot that is not listed before its disk is copied."""
    name = wish.name or f"{droplet.name}-{now()}"
    (identifier,) = db.execute(
        "INSERT INTO snapshots (name, description, distribution, droplet_id, region, "
        "min_disk_size, created_at) VALUES (?, '', ?, ?, ?, ?, ?) RETURNING id",
        (
            name,
            droplet.image["distribution"],
            droplet.id,
            droplet.region,
            droplet.disk,
            now(),
        ),
    ).fetchone()
    return int(identifier)


@router.post("/droplets/actions")
def act_on_tagged_droplets(
    cloud: TheCloud, runner: TheActionRunner, wish: Wish, tag_name: str | None = None
) -> JSONResponse:
    if not tag_name:
        raise unprocessable("tag_name", "name the tag whose droplets are meant")
    if not isinstance(wish, Unsupported) and wish.type not in BY_TAG:
        raise unprocessable("type", f"{wish.type} is not for tags; allowed: {', '.join(BY_TAG)}")
    with cloud.store.write() as db:
        droplets = Droplet.tagged(db, tags.existing(db, tag_name))
        begun = [begin(cloud, db, droplet, wish) for droplet in droplets]
    for action in begun:
        runner.start(action)
    return JSONResponse({"actions": [action.as_json() for action in begun]}, status_code=201)


@router.post("/droplets/{droplet_id}/actions")
def act_on_droplet(
    cloud: TheCloud, runner: TheActionRunner, droplet_id: NumberInPath, wish: Wish
) -> JSONResponse:
    with cloud.store.write() as db:
        action = begin(cloud, db, existing(db, droplet_id), wish)
    runner.start(action)
    return JSONResponse({"action": action.as_json()}, status_code=201)


@router.get("/droplets/{droplet_id}/actions")
def list_actions_of_droplet(
    cloud: TheCloud, droplet_id: NumberInPath, page: RequestedPage
) -> JSONResponse:
    with cloud.store.read() as db:
        existing(db, droplet_id)
        query = "SELECT * FROM actions WHERE droplet_id = ? ORDER BY id DESC"
        rows, total = page.select(db, query, (droplet_id,))
    return page.answer("actions", [Action.from_row(row).as_json() for row in rows], total)


@router.get("/droplets/{droplet_id}/actions/{action_id}")
def get_action_of_droplet(
    cloud: TheCloud, droplet_id: NumberInPath, action_id: NumberInPath
) -> JSONResponse:
    with cloud.store.read() as db:
        action = actions.find(db, action_id)
    if action.droplet_id != droplet_id:
        raise not_found("action", action_id)
    return JSONResponse({"action": action.as_json()})
