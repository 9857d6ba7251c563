"""`digitalocean.Vpc`: a private network in one region."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from local_cloud.plugins.digitalocean.api import ApiError, GaveUp, Work
from local_cloud.plugins.digitalocean.schema import Kind, Made, Property, Table
from local_cloud.plugins.digitalocean.validators import an_address_range, at_most, not_empty
from local_cloud.plugins.shared_values import Properties

DELETE_SECONDS = 120

_creating = asyncio.Lock()
"""Two networks made at the same time could be given the same range."""


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    body = {"name": plan["name"], "region": plan["region"]}
    if plan["description"]:
        body["description"] = plan["description"]
    if inputs.get("ipRange"):
        body["ip_range"] = inputs["ipRange"]
    async with _creating:
        vpc = (await work.call("vpcs.create", body))["vpc"]
    return await _looked_up(work, vpc["id"])


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    answer = await work.find("vpcs.get", identity)
    return Made(id=identity, state=_state(answer["vpc"])) if answer else None


async def update(work: Work, identity: str, old: Properties, plan: Properties) -> Made:
    body = {"name": plan["name"], "default": plan["default"]}
    # An emptied description is not sent: the official plugin cannot take one away either.
    if plan["description"]:
        body["description"] = plan["description"]
    await work.call("vpcs.update", identity, body)
    return await _looked_up(work, identity)


async def _looked_up(work: Work, identity: str) -> Made:
    vpc = (await work.call("vpcs.get", identity))["vpc"]
    return Made(id=identity, state=_state(vpc))


async def delete(work: Work, identity: str, state: Properties) -> None:
    refusals: list[str] = []

    async def gone() -> bool | None:
        try:
            await work.find("vpcs.delete", identity)
        except ApiError as error:
            # Droplets on their way out are members of the network a little longer.
            if error.status not in (403, 409):
                raise
            refusals.append(str(error))
            return None
        return True

    try:
        await work.wait(gone, DELETE_SECONDS)
    except GaveUp as error:
        raise GaveUp(f"{refusals[-1]} ({error})") from None


def _state(vpc: Properties) -> Properties:
    created = datetime.fromisoformat(vpc["created_at"]).astimezone(UTC)
    return {
        "name": vpc["name"],
        "region": vpc["region"],
        "description": vpc.get("description", ""),
        "ipRange": vpc["ip_range"],
        "vpcUrn": vpc["urn"],
        "default": vpc.get("default", False),
        "createdAt": created.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
    }


VPC = Table(
    token="digitalocean:index/vpc:Vpc",  # noqa: S106
    noun="VPC",
    properties=(
        Property(name="name", required=True, validator=not_empty),
        Property(name="region", required=True, replaces=True, validator=not_empty),
        Property(name="description", validator=at_most(255)),
        Property(name="ipRange", computed=True, replaces=True, validator=an_address_range),
        Property(name="vpcUrn", upstream="urn", given=False, computed=True),
        Property(name="default", kind=Kind.FLAG, given=False, computed=True),
        Property(name="createdAt", given=False, computed=True),
    ),
    timeouts={"delete": DELETE_SECONDS},
    create=create,
    read=read,
    update=update,
    delete=delete,
)
