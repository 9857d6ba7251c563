"""Actions: what was done to droplets and reserved IPs, and how it went. They outlive both."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local_cloud.api.catalogue import region_json
from local_cloud.api.cloud import TheCloud
from local_cloud.api.errors import not_found
from local_cloud.api.identifiers import NumberInPath
from local_cloud.api.models import Droplet
from local_cloud.api.pagination import RequestedPage
from local_cloud.api.store import now

router = APIRouter()


OF_RESERVED_IPS = ("reserve_ip", "assign_ip", "unassign_ip")
"""The types of actions on reserved IPs; all others are on droplets."""


@dataclass(frozen=True, kw_only=True)
class Action:
    id: int
    status: str
    type: str
    parameters: dict[str, Any]
    """What the action needs beside the droplet, such as a new name; kept to resume it."""
    droplet_id: int
    """Of an action on a reserved IP, its address as a number."""
    region: str
    started_at: str
    completed_at: str | None
    error_message: str | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Action:
        fields = dict(row)
        return cls(parameters=json.loads(fields.pop("parameters_json")), **fields)

    def as_json(self) -> dict[str, Any]:
        """DigitalOcean's form; an errored action also says why, in `error_message`."""
        described: dict[str, Any] = {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "resource_id": self.droplet_id,
            "resource_type": "reserved_ip" if self.type in OF_RESERVED_IPS else "droplet",
            "region": region_json(self.region),
            "region_slug": self.region,
        }
        if self.error_message is not None:
            described["error_message"] = self.error_message
        return described


def begin(db: sqlite3.Connection, droplet: Droplet, kind: str, **parameters: Any) -> Action:
    """Record that `kind` is under way on the droplet; `ActionRunner.start` then carries it out."""
    row = db.execute(
        "INSERT INTO actions (status, type, parameters_json, droplet_id, region, started_at) "
        "VALUES ('in-progress', ?, ?, ?, ?, ?) RETURNING *",
        (kind, json.dumps(parameters), droplet.id, droplet.region, now()),
    ).fetchone()
    return Action.from_row(row)


def complete(db: sqlite3.Connection, action: Action) -> None:
    db.execute(
        "UPDATE actions SET status = 'completed', completed_at = ? WHERE id = ?", (now(), action.id)
    )


def fail(db: sqlite3.Connection, action: Action, message: str) -> None:
    db.execute(
        "UPDATE actions SET status = 'errored', completed_at = ?, error_message = ? WHERE id = ?",
        (now(), message, action.id),
    )


def find(db: sqlite3.Connection, action_id: int) -> Action:
    row = db.execute("SELECT * FROM actions WHERE id = ?", (action_id,)).fetchone()
    if not row:
        raise not_found("action", action_id)
    return Action.from_row(row)


def unfinished(db: sqlite3.Connection) -> list[Action]:
    rows = db.execute("SELECT * FROM actions WHERE status = 'in-progress' ORDER BY id")
    return [Action.from_row(row) for row in rows]


def busy_droplets(db: sqlite3.Connection) -> set[int]:
    rows = db.execute("SELECT droplet_id FROM actions WHERE status = 'in-progress'")
    return {row["droplet_id"] for row in rows}


@router.get("/actions")
def list_actions(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT * FROM actions ORDER BY id DESC")
    return page.answer("actions", [Action.from_row(row).as_json() for row in rows], total)


@router.get("/actions/{action_id}")
def get_action(cloud: TheCloud, action_id: NumberInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"action": find(db, action_id).as_json()})
