"""`digitalocean.Tag`: a label for droplets and other resources."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import Work
from local_cloud.plugins.digitalocean.schema import Kind, Made, Property, Table
from local_cloud.plugins.digitalocean.validators import a_tag
from local_cloud.plugins.shared_values import Properties

COUNTS = {
    "dropletsCount": "droplets",
    "imagesCount": "images",
    "volumesCount": "volumes",
    "volumeSnapshotsCount": "volume_snapshots",
    "databasesCount": "databases",
}


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    tag = (await work.call("tags.create", {"name": plan["name"]}))["tag"]
    tag = (await work.call("tags.get", tag["name"]))["tag"]
    return Made(id=tag["name"], state=_state(tag))


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    answer = await work.find("tags.get", identity)
    return Made(id=identity, state=_state(answer["tag"])) if answer else None


async def delete(work: Work, identity: str, state: Properties) -> None:
    await work.find("tags.delete", identity)


def _state(tag: Properties) -> Properties:
    resources = tag.get("resources") or {}
    counts = {name: (resources.get(kind) or {}).get("count", 0) for name, kind in COUNTS.items()}
    return {"name": tag["name"], "totalResourceCount": resources.get("count", 0), **counts}


TAG = Table(
    token="digitalocean:index/tag:Tag",  # noqa: S106
    noun="tag",
    properties=(
        Property(name="name", required=True, replaces=True, validator=a_tag),
        Property(name="totalResourceCount", kind=Kind.WHOLE, given=False, computed=True),
        *(Property(name=name, kind=Kind.WHOLE, given=False, computed=True) for name in COUNTS),
    ),
    create=create,
    read=read,
    delete=delete,
)
