"""SSH keys that new droplets let in as root. Known by number or by fingerprint."""

from __future__ import annotations

import base64
import binascii
import hashlib
import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api.cloud import TheCloud
from local_cloud.api.errors import not_found, unprocessable
from local_cloud.api.pagination import RequestedPage

router = APIRouter()

KEY_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)

KeyName = Annotated[str, Field(min_length=1, max_length=255)]
KeyInPath = Annotated[str, Path()]


class NewKey(BaseModel):
    name: KeyName
    public_key: str


class ChangedKey(BaseModel):
    name: KeyName


def fingerprint(public_key: str) -> str:
    """The MD5 fingerprint DigitalOcean uses, such as `3b:16:e4:...`; 422 for anything but a key."""
    kind, _, rest = public_key.strip().partition(" ")
    if kind not in KEY_TYPES:
        raise unprocessable("public_key", f"begin with one of {', '.join(KEY_TYPES)}")
    if "\n" in rest or "\r" in rest:
        raise unprocessable("public_key", "give one key, on one line")
    try:
        blob = base64.b64decode(rest.partition(" ")[0], validate=True)
    except binascii.Error:
        raise unprocessable("public_key", "the part after the type is not base64") from None
    parts = _parts(blob)
    if parts is None or len(parts) < 2 or parts[0] != kind.encode():
        raise unprocessable("public_key", f"this is not a whole {kind} key; is a part cut off?")
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))


def _parts(blob: bytes) -> list[bytes] | None:
    """The strings of an SSH key, each after its length (RFC 4251, section 5); None if cut off."""
    parts = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            return None
        parts.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return parts


def as_json(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "fingerprint", "public_key", "name")}


def find(db: sqlite3.Connection, identifier: int | str) -> sqlite3.Row | None:
    """The key with this number or fingerprint."""
    text = str(identifier)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    query = "SELECT * FROM ssh_keys WHERE id = ? OR fingerprint = ?"
    row: sqlite3.Row | None = db.execute(query, (number, text)).fetchone()
    return row


def existing(db: sqlite3.Connection, identifier: str) -> sqlite3.Row:
    row = find(db, identifier)
    if row is None:
        raise not_found("SSH key", identifier)
    return row


@router.get("/account/keys")
def list_keys(cloud: TheCloud, page: RequestedPage) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT * FROM ssh_keys ORDER BY id")
    return page.answer("ssh_keys", [as_json(row) for row in rows], total)


@router.post("/account/keys")
def create_key(cloud: TheCloud, new: NewKey) -> JSONResponse:
    mark = fingerprint(new.public_key)
    with cloud.store.write() as db:
        if find(db, mark):
            raise unprocessable("public_key", "SSH Key is already in use on your account")
        row = db.execute(
            "INSERT INTO ssh_keys (name, public_key, fingerprint) VALUES (?, ?, ?) RETURNING *",
            (new.name, new.public_key.strip(), mark),
        ).fetchone()
    return JSONResponse({"ssh_key": as_json(row)}, status_code=201)


@router.get("/account/keys/{identifier}")
def get_key(cloud: TheCloud, identifier: KeyInPath) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"ssh_key": as_json(existing(db, identifier))})


@router.put("/account/keys/{identifier}")
def update_key(cloud: TheCloud, identifier: KeyInPath, changed: ChangedKey) -> JSONResponse:
    with cloud.store.write() as db:
        row = existing(db, identifier)
        db.execute("UPDATE ssh_keys SET name = ? WHERE id = ?", (changed.name, row["id"]))
        return JSONResponse({"ssh_key": as_json(existing(db, identifier))})


@router.delete("/account/keys/{identifier}")
def delete_key(cloud: TheCloud, identifier: KeyInPath) -> Response:
    with cloud.store.write() as db:
        db.execute("DELETE FROM ssh_keys WHERE id = ?", (existing(db, identifier)["id"],))
    return Response(status_code=204)
