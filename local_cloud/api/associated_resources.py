"""Deletion of a droplet together with its snapshots, and how far it got."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from threading import Thread
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from local_cloud.api import images, reserved_ips
from local_cloud.api.action_runner import ActionRunner, TheActionRunner
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.droplets import delete_all, existing
from local_cloud.api.errors import ApiError, conflict, not_found, unprocessable
from local_cloud.api.identifiers import NumberInPath
from local_cloud.api.images import FINISHED
from local_cloud.api.models import Droplet
from local_cloud.api.store import now

router = APIRouter()

KINDS = ("floating_ips", "volumes", "volume_snapshots")
"""Resources that DigitalOcean associates with a droplet, but the local cloud does not have."""

FREE_OF_CHARGE = "0.00"


class Selection(BaseModel):
    snapshots: list[str] | None = None
    reserved_ips: list[str] | None = None
    floating_ips: list[str] | None = None
    volumes: list[str] | None = None
    volume_snapshots: list[str] | None = None


def _snapshots_of(db: sqlite3.Connection, droplet_id: int) -> list[sqlite3.Row]:
    return db.execute(f"{FINISHED} AND droplet_id = ? ORDER BY id", (droplet_id,)).fetchall()


def _begin(db: sqlite3.Connection, droplet: Droplet, snapshots: Iterable[sqlite3.Row]) -> None:
    """Record what is to be deleted, replacing the records of an earlier attempt."""
    db.execute("DELETE FROM joint_deletions WHERE droplet_id = ?", (droplet.id,))
    db.execute(
        "INSERT INTO joint_deletions (droplet_id, droplet_name) VALUES (?, ?)",
        (droplet.id, droplet.name),
    )
    db.executemany(
        "INSERT INTO joint_deletion_snapshots (droplet_id, snapshot_id, name) VALUES (?, ?, ?)",
        [(droplet.id, row["id"], row["name"]) for row in snapshots],
    )


def resume(cloud: Cloud, runner: ActionRunner) -> None:
    """After a restart: go on with deletions that were under way."""
    with cloud.store.read() as db:
        rows = db.execute("SELECT droplet_id FROM joint_deletions WHERE completed_at IS NULL")
        unfinished = [row["droplet_id"] for row in rows]
    for droplet_id in unfinished:
        _start(cloud, runner, droplet_id)


def _start(cloud: Cloud, runner: ActionRunner, droplet_id: int) -> None:
    Thread(target=_carry_out, args=(cloud, runner, droplet_id), daemon=True).start()


def _carry_out(cloud: Cloud, runner: ActionRunner, droplet_id: int) -> None:
    """The snapshots first: while one cannot be deleted, its droplet stays and can be retried."""
    with cloud.store.read() as db:
        snapshots = _recorded_snapshots(db, droplet_id)
        droplet = Droplet.find(db, droplet_id)
    for row in snapshots:
        if row["destroyed_at"] is None:
            _delete_snapshot(cloud, droplet_id, row["snapshot_id"])
    with cloud.store.read() as db:
        stuck = [row for row in _recorded_snapshots(db, droplet_id) if row["error_message"]]
    refusal = None
    if droplet is not None and not stuck:
        try:
            delete_all(cloud, runner, [droplet])
        except ApiError as error:
            refusal = error.message
    destroyed_at = None if stuck or refusal else now()
    with cloud.store.write() as db:
        db.execute(
            "UPDATE joint_deletions SET destroyed_at = ?, completed_at = ?, error_message = ? "
            "WHERE droplet_id = ?",
            (destroyed_at, now(), refusal, droplet_id),
        )


def _delete_snapshot(cloud: Cloud, droplet_id: int, snapshot_id: int) -> None:
    refusal = None
    try:
        images.remove_snapshot(cloud, snapshot_id)
    except ApiError as error:
        refusal = error.message
    destroyed_at = None if refusal else now()
    with cloud.store.write() as db:
        db.execute(
            "UPDATE joint_deletion_snapshots SET destroyed_at = ?, error_message = ? "
            "WHERE droplet_id = ? AND snapshot_id = ?",
            (destroyed_at, refusal, droplet_id, snapshot_id),
        )


def _recorded_snapshots(db: sqlite3.Connection, droplet_id: int) -> list[sqlite3.Row]:
    query = "SELECT * FROM joint_deletion_snapshots WHERE droplet_id = ? ORDER BY snapshot_id"
    return db.execute(query, (droplet_id,)).fetchall()


def _recorded(db: sqlite3.Connection, droplet_id: int) -> sqlite3.Row:
    query = "SELECT * FROM joint_deletions WHERE droplet_id = ?"
    row: sqlite3.Row | None = db.execute(query, (droplet_id,)).fetchone()
    if row is None:
        raise not_found("deletion with associated resources of droplet", droplet_id)
    return row


def _outcome(identifier: int, name: str, row: sqlite3.Row) -> dict[str, Any]:
    told: dict[str, Any] = {"id": str(identifier), "name": name}
    if row["destroyed_at"]:
        told["destroyed_at"] = row["destroyed_at"]
    if row["error_message"]:
        told["error_message"] = row["error_message"]
    return told


@router.get("/droplets/{droplet_id}/destroy_with_associated_resources")
def list_associated_resources(cloud: TheCloud, droplet_id: NumberInPath) -> JSONResponse:
    with cloud.store.read() as db:
        existing(db, droplet_id)
        snapshots = [
            {"id": str(row["id"]), "name": row["name"], "cost": FREE_OF_CHARGE}
            for row in _snapshots_of(db, droplet_id)
        ]
        reserved = [
            {"id": ip, "name": ip, "cost": FREE_OF_CHARGE}
            for ip in reserved_ips.of_droplet(db, droplet_id)
        ]
    told = {"snapshots": snapshots, "reserved_ips": reserved}
    return JSONResponse(told | {kind: [] for kind in KINDS})


@router.delete("/droplets/{droplet_id}/destroy_with_associated_resources/selective")
def delete_with_some(
    cloud: TheCloud,
    runner: TheActionRunner,
    droplet_id: NumberInPath,
    selection: Selection | None = None,
) -> Response:
    selection = selection or Selection()
    for kind in KINDS:
        for identifier in getattr(selection, kind) or ():
            raise unprocessable(kind, f"the local cloud has none, so no {identifier!r}")
    with cloud.change_network() as db:
        droplet = existing(db, droplet_id)
        there_are = {str(row["id"]): row for row in _snapshots_of(db, droplet_id)}
        for identifier in selection.snapshots or ():
            if identifier not in there_are:
                message = f"droplet {droplet_id} has no snapshot {identifier!r}"
                raise unprocessable("snapshots", message)
        reserved_ips.release_of(db, droplet_id, selection.reserved_ips or [])
        _begin(db, droplet, [there_are[identifier] for identifier in selection.snapshots or ()])
    _start(cloud, runner, droplet_id)
    return Response(status_code=202)


@router.delete("/droplets/{droplet_id}/destroy_with_associated_resources/dangerous")
def delete_with_all(
    cloud: TheCloud,
    runner: TheActionRunner,
    droplet_id: NumberInPath,
    x_dangerous: Annotated[bool, Header()] = False,
) -> Response:
    if not x_dangerous:
        raise unprocessable("X-Dangerous", "send this header with the value true to confirm")
    with cloud.change_network() as db:
        droplet = existing(db, droplet_id)
        reserved_ips.release_of(db, droplet_id, reserved_ips.of_droplet(db, droplet_id))
        _begin(db, droplet, _snapshots_of(db, droplet_id))
    _start(cloud, runner, droplet_id)
    return Response(status_code=202)


@router.get("/droplets/{droplet_id}/destroy_with_associated_resources/status")
def get_status(cloud: TheCloud, droplet_id: NumberInPath) -> JSONResponse:
    with cloud.store.read() as db:
        deletion = _recorded(db, droplet_id)
        snapshots = _recorded_snapshots(db, droplet_id)
    # Reserved IPs are released before anything else, in one step: there is nothing to tell of them.
    resources: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ("reserved_ips", *KINDS)}
    resources["snapshots"] = [_outcome(row["snapshot_id"], row["name"], row) for row in snapshots]
    status = {
        "droplet": _outcome(droplet_id, deletion["droplet_name"], deletion),
        "resources": resources,
        "failures": sum(1 for row in (deletion, *snapshots) if row["error_message"]),
    }
    if deletion["completed_at"]:
        status["completed_at"] = deletion["completed_at"]
    return JSONResponse(status)


@router.post("/droplets/{droplet_id}/destroy_with_associated_resources/retry")
def retry(cloud: TheCloud, runner: TheActionRunner, droplet_id: NumberInPath) -> Response:
    with cloud.store.write() as db:
        deletion = _recorded(db, droplet_id)
        if deletion["completed_at"] is None:
            raise conflict(f"the deletion of droplet {droplet_id} is still under way")
        if deletion["destroyed_at"] is not None:
            raise conflict(f"droplet {droplet_id} is deleted already, nothing is left to retry")
        db.execute(
            "UPDATE joint_deletions SET completed_at = NULL, error_message = NULL "
            "WHERE droplet_id = ?",
            (droplet_id,),
        )
    _start(cloud, runner, droplet_id)
    return Response(status_code=202)
