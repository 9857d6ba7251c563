"""Droplets: JSON form, listing, deletion. Creation is in droplet_requests.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from local_cloud.api import actions, tags
from local_cloud.api.action_runner import ActionRunner, TheActionRunner
from local_cloud.api.actions import Action
from local_cloud.api.catalogue import SIZES, disks_json, region_json, size_json
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import ApiError, not_found, unprocessable
from local_cloud.api.identifiers import NumberInPath
from local_cloud.api.models import Droplet, Vpc
from local_cloud.api.pagination import RequestedPage

router = APIRouter()


def existing(db: sqlite3.Connection, identifier: int) -> Droplet:
    droplet = Droplet.find(db, identifier)
    if droplet is None:
        raise not_found("droplet", identifier)
    return droplet


def describe(
    cloud: Cloud, db: sqlite3.Connection, droplets: Iterable[Droplet]
) -> list[dict[str, Any]]:
    """Droplets in DigitalOcean's form, with a fixed number of queries for any number of them."""
    busy = actions.busy_droplets(db)
    ranges = {row["id"]: Vpc.from_row(row).ip_range for row in db.execute("SELECT * FROM vpcs")}
    public = cloud.public_network
    snapshots: dict[int, list[int]] = {}
    for row in db.execute(
        "SELECT id, droplet_id FROM snapshots WHERE size_gigabytes IS NOT NULL ORDER BY id"
    ):
        snapshots.setdefault(row["droplet_id"], []).append(row["id"])
    described = []
    for droplet in droplets:
        size = SIZES[droplet.size]
        networks = [
            (droplet.public_address, public, "public"),
            (droplet.private_address, ranges[droplet.vpc_id], "private"),
        ]
        described.append(
            {
                "id": droplet.id,
                "name": droplet.name,
                "memory": size.memory,
                "vcpus": size.vcpus,
                "disk": droplet.disk,
                "disk_info": disks_json(droplet.disk),
                "locked": droplet.id in busy,
                "status": _observed_status(cloud, droplet),
                "kernel": None,
                "created_at": droplet.created_at,
                "features": ["private_networking", *["monitoring"] * droplet.monitoring],
                "backup_ids": [],
                "next_backup_window": None,
                "snapshot_ids": snapshots.get(droplet.id, []),
                "image": droplet.image,
                "volume_ids": [],
                "size": size_json(size),
                "size_slug": size.slug,
                "networks": {
                    "v4": [
                        {
                            "ip_address": str(address),
                            "netmask": str(network.netmask),
                            "gateway": str(network.network_address + 1),
                            "type": kind,
                        }
                        for address, network, kind in networks
                    ],
                    "v6": [],
                },
                "region": region_json(droplet.region),
                "tags": list(droplet.tags),
                "vpc_uuid": droplet.vpc_id,
            }
        )
    return described


def _observed_status(cloud: Cloud, droplet: Droplet) -> str:
    """`active` only while the machine really runs: it may have powered itself off."""
    if droplet.status == "active" and not cloud.hypervisor.is_running(droplet.id):
        return "off"
    return droplet.status


def delete_all(cloud: Cloud, runner: ActionRunner, droplets: Iterable[Droplet]) -> None:
    """Delete droplets in parallel; return when nothing is left of them, or raise with what is."""
    failed = [
        action for action in runner.finish(begin_deletion(cloud, droplets)) if _failed(action)
    ]
    if failed:
        told = "; ".join(
            f"droplet {action.droplet_id} could not be deleted: {action.error_message}"
            for action in failed
        )
        raise ApiError(500, "server_error", told)


def begin_deletion(cloud: Cloud, droplets: Iterable[Droplet]) -> list[Action]:
    """Record that droplets are being deleted; from here on a restart completes it.

    A load balancer sends them nothing any more, before their power is cut.
    """
    begun = []
    with cloud.change_network() as db:
        for droplet in droplets:
            db.execute("UPDATE droplets SET status = 'archive' WHERE id = ?", (droplet.id,))
            begun.append(actions.begin(db, droplet, "destroy"))
    return begun


def _failed(action: Action) -> bool:
    return action.status == "errored"


@router.get("/droplets")
def list_droplets(
    cloud: TheCloud,
    page: RequestedPage,
    tag_name: str | None = None,
    name: str | None = None,
    type: Literal["droplets", "gpus"] = "droplets",
) -> JSONResponse:
    """As at DigitalOcean, by tag or by name (any case), not by both."""
    if tag_name is not None and name is not None:
        raise unprocessable("name", "cannot be combined with tag_name")
    with cloud.store.read() as db:
        found = [] if type == "gpus" else Droplet.all(db)
        if tag_name is not None:
            found = [droplet for droplet in found if tag_name in droplet.tags]
        if name is not None:
            found = [droplet for droplet in found if droplet.name.lower() == name.lower()]
        described = describe(cloud, db, page.of(found))
    return page.answer("droplets", described, len(found))


@router.get("/droplets/{droplet_id}")
def get_droplet(cloud: TheCloud, droplet_id: NumberInPath) -> JSONResponse:
    with cloud.store.read() as db:
        (described,) = describe(cloud, db, [existing(db, droplet_id)])
    return JSONResponse({"droplet": described})


@router.delete("/droplets/{droplet_id}")
def delete_droplet(cloud: TheCloud, runner: TheActionRunner, droplet_id: NumberInPath) -> Response:
    with cloud.store.read() as db:
        droplet = existing(db, droplet_id)
    delete_all(cloud, runner, [droplet])
    return Response(status_code=204)


@router.delete("/droplets")
def delete_tagged_droplets(
    cloud: TheCloud, runner: TheActionRunner, tag_name: str | None = None
) -> Response:
    if not tag_name:
        raise unprocessable("tag_name", "name the tag whose droplets are to be deleted")
    with cloud.store.read() as db:
        droplets = Droplet.tagged(db, tags.existing(db, tag_name))
    delete_all(cloud, runner, droplets)
    return Response(status_code=204)
