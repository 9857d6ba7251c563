"""Tags: labels on droplets and snapshots. Some are hints to the local cloud (see hints.py)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_cloud.api import hints
from local_cloud.api.cloud import Cloud, TheCloud
from local_cloud.api.errors import not_found, unprocessable
from local_cloud.api.identifiers import HIGHEST_NUMBER
from local_cloud.api.pagination import RequestedPage
from local_cloud.machine import MachineError

router = APIRouter()

TagName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_\-:]+$", max_length=255)]

PATHS = {"droplet": "droplets", "image": "images"}
TABLES = {"droplet": "droplets", "image": "snapshots"}
UNSERVED_KINDS = ("volumes", "volume_snapshots", "databases")


class NewTag(BaseModel):
    name: TagName


class Resource(BaseModel):
    resource_id: str
    resource_type: Literal["droplet", "image", "volume", "volume_snapshot"]


class Resources(BaseModel):
    resources: list[Resource]


def ensure(db: sqlite3.Connection, names: Iterable[str], field: str = "tags") -> list[str]:
    """Make the tags that do not exist yet; return each once, in its canonical spelling."""
    names = list(names)
    for name in names:
        try:
            hints.check(name)
        except hints.HintError as error:
            raise unprocessable(field, str(error)) from None
        db.execute("INSERT INTO tags (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
    return known(db, names, field)


def known(db: sqlite3.Connection, names: Iterable[str], field: str = "tags") -> list[str]:
    """The canonical spellings of tags that must exist: DigitalOcean's rule for firewalls."""
    canonical = []
    for name in names:
        row = db.execute("SELECT name FROM tags WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise unprocessable(field, f"there is no tag {name!r}; create the tag first")
        canonical.append(row["name"])
    return list(dict.fromkeys(canonical))


def put(db: sqlite3.Connection, tag: str, resource_type: str, resource_id: int) -> bool:
    """Tag a resource; whether it did not have the tag before."""
    done = db.execute(
        "INSERT INTO tagged_resources VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (tag, resource_type, resource_id),
    )
    return done.rowcount == 1


def put_on_droplet(
    cloud: Cloud, db: sqlite3.Connection, droplet_id: int, names: Iterable[str]
) -> None:
    """Tag a droplet; the loopback port of a forward must be free, on this machine and among all."""
    for name in names:
        for wish in _wishes([name], droplet_id):
            _check_port(cloud, db, name, wish)
        put(db, name, "droplet", droplet_id)


@dataclass(frozen=True)
class _Wish:
    """That a loopback port leads somewhere; several droplets may wish for the same."""

    loopback_port: int
    destination: str
    port: int | None = None


def _wishes(names: Iterable[str], droplet_id: int) -> Iterator[_Wish]:
    for name in names:
        for hint in hints.forwards([name]):
            yield _Wish(hint.loopback_port, f"droplet {droplet_id}", hint.port)
        for wished in hints.balancers([name]):
            at = f" at port {wished.entry_port}" if wished.entry_port else ""
            yield _Wish(wished.loopback_port, f"a load balancer{at}")


def _check_port(cloud: Cloud, db: sqlite3.Connection, tag: str, wish: _Wish) -> None:
    for row in db.execute("SELECT * FROM tagged_resources WHERE tag LIKE 'local:%'"):
        for other in _wishes([row["tag"]], row["resource_id"]):
            if other == wish:
                return  # tagged again: the listener on this port is our own
            if other.loopback_port != wish.loopback_port:
                continue
            if (other.port is None) != (wish.port is None):
                continue  # a droplet, and once there is one the load balancer in front of it
            owner = f"port {other.loopback_port} already leads to {other.destination}"
            raise unprocessable("tags", f"{tag!r} cannot be used: {owner}")
    try:
        cloud.hypervisor.check_forward(wish.loopback_port)
    except MachineError as error:
        raise unprocessable("tags", f"{tag!r} cannot be used: {error}") from error


def as_json(db: sqlite3.Connection, name: str, base_url: str) -> dict[str, Any]:
    """A tag with how many resources of each kind have it, and the last of them."""
    tagged = db.execute(
        "SELECT * FROM tagged_resources WHERE tag = ? ORDER BY rowid", (name,)
    ).fetchall()
    resources = {"count": len(tagged)} | _last_of(tagged, base_url)
    for kind, path in PATHS.items():
        of_kind = [row for row in tagged if row["resource_type"] == kind]
        resources[path] = {"count": len(of_kind)} | _last_of(of_kind, base_url)
    return {"name": name, "resources": resources | {kind: {"count": 0} for kind in UNSERVED_KINDS}}


def _last_of(tagged: list[sqlite3.Row], base_url: str) -> dict[str, Any]:
    if not tagged:
        return {}
    path = PATHS[tagged[-1]["resource_type"]]
    return {"last_tagged_uri": f"{base_url}v2/{path}/{tagged[-1]['resource_id']}"}


def existing(db: sqlite3.Connection, name: str) -> str:
    """The tag of exactly this spelling."""
    row = db.execute("SELECT name FROM tags WHERE name = ? COLLATE BINARY", (name,)).fetchone()
    if row is None:
        raise not_found("tag", name)
    return name


def _resource_number(db: sqlite3.Connection, resource: Resource) -> int:
    """The resource's number; 422 for a kind that is not served here, 404 for an unknown one."""
    table = TABLES.get(resource.resource_type)
    if table is None:
        raise unprocessable(
            "resource_type", f"the local cloud does not serve {resource.resource_type}s"
        )
    text = resource.resource_id
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    query = f"SELECT 1 FROM {table} WHERE id = ?"  # noqa: S608
    if number > HIGHEST_NUMBER or not db.execute(query, (number,)).fetchone():
        raise not_found(resource.resource_type, text)
    return number


@router.get("/tags")
def list_tags(cloud: TheCloud, page: RequestedPage, request: Request) -> JSONResponse:
    with cloud.store.read() as db:
        rows, total = page.select(db, "SELECT name FROM tags ORDER BY name")
        described = [as_json(db, row["name"], str(request.base_url)) for row in rows]
    return page.answer("tags", described, total)


@router.post("/tags")
def create_tag(cloud: TheCloud, new: NewTag, request: Request) -> JSONResponse:
    """Making a tag that exists is no error: the answer is the tag there is."""
    with cloud.store.write() as db:
        (name,) = ensure(db, [new.name], "name")
        return JSONResponse({"tag": as_json(db, name, str(request.base_url))}, status_code=201)


@router.get("/tags/{tag}")
def get_tag(cloud: TheCloud, tag: str, request: Request) -> JSONResponse:
    with cloud.store.read() as db:
        return JSONResponse({"tag": as_json(db, existing(db, tag), str(request.base_url))})


@router.delete("/tags/{tag}")
def delete_tag(cloud: TheCloud, tag: str) -> Response:
    with cloud.change_network() as db:
        db.execute("DELETE FROM tags WHERE name = ?", (existing(db, tag),))
    return Response(status_code=204)


@router.post("/tags/{tag}/resources")
def tag_resources(cloud: TheCloud, tag: str, tagged: Resources) -> Response:
    with cloud.change_network() as db:
        existing(db, tag)
        for resource in tagged.resources:
            number = _resource_number(db, resource)
            if resource.resource_type == "droplet":
                put_on_droplet(cloud, db, number, [tag])
            else:
                put(db, tag, resource.resource_type, number)
    return Response(status_code=204)


@router.delete("/tags/{tag}/resources")
def untag_resources(cloud: TheCloud, tag: str, tagged: Resources) -> Response:
    with cloud.change_network() as db:
        existing(db, tag)
        for resource in tagged.resources:
            db.execute(
                "DELETE FROM tagged_resources "
                "WHERE tag = ? AND resource_type = ? AND resource_id = ?",
                (tag, resource.resource_type, _resource_number(db, resource)),
            )
    return Response(status_code=204)
