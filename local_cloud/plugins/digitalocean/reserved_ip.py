"""`digitalocean.ReservedIp`: a public address that stays, and moves from droplet to droplet."""

from __future__ import annotations

import ipaddress

from local_cloud.plugins.digitalocean.api import ApiError, GaveUp, Unreachable, Work
from local_cloud.plugins.digitalocean.schema import HalfMade, Kind, Made, Property, Table
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Value

DROPLET_SECONDS = 120
ACTION_SECONDS = 3600


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    made = (await work.call("reserved_ips.create", {"region": plan["region"]}))["reserved_ip"]
    identity, droplet_id = made["ip"], plan["dropletId"]
    if droplet_id:
        try:
            await _assign(work, identity, droplet_id)
        except (ApiError, Unreachable, GaveUp) as error:
            raise HalfMade(Made(id=identity, state=_state(made, {})), str(error)) from None
    return await _looked_up(work, identity, plan)


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    answer = await work.find("reserved_ips.get", identity)
    if answer is None:
        return None
    found = answer["reserved_ip"]
    if not state and found["droplet"]:  # an import
        state = {"dropletId": found["droplet"]["id"]}
    return Made(id=identity, state=_state(found, state))


async def update(work: Work, identity: str, old: Properties, plan: Properties) -> Made:
    if old.get("dropletId") != plan["dropletId"]:
        if plan["dropletId"]:
            await _assign(work, identity, plan["dropletId"])
        else:
            await _act(work, identity, {"type": "unassign"})
    return await _looked_up(work, identity, plan)


async def delete(work: Work, identity: str, state: Properties) -> None:
    if state.get("dropletId"):
        try:
            await _act(work, identity, {"type": "unassign"})
        except ApiError as error:
            # It is assigned no more, or there no more.
            if error.status not in (404, 422):
                raise
    await work.find("reserved_ips.delete", identity)


async def _assign(work: Work, identity: str, droplet_id: int) -> None:
    """Once nothing is under way on the droplet: until then, it takes no address."""

    async def free() -> bool | None:
        found = (await work.call("droplets.get", droplet_id))["droplet"]
        return None if found["locked"] else True

    await work.wait(free, DROPLET_SECONDS)
    await _act(work, identity, {"type": "assign", "droplet_id": droplet_id})


async def _act(work: Work, identity: str, wish: Properties) -> None:
    """An action, and its end."""
    action = (await work.call("reserved_ips_actions.post", identity, wish))["action"]

    async def completed() -> bool | None:
        found = await work.find("reserved_ips_actions.get", identity, action["id"])
        status = found["action"]["status"] if found else "in-progress"
        if status == "errored":
            raise GaveUp("unexpected state 'errored', wanted target 'completed'")
        return True if status == "completed" else None

    await work.wait(completed, ACTION_SECONDS)


async def _looked_up(work: Work, identity: str, plan: Properties) -> Made:
    found = (await work.call("reserved_ips.get", identity))["reserved_ip"]
    return Made(id=identity, state=_state(found, plan))


def _state(found: Properties, known: Properties) -> Properties:
    """Upstream looks at the droplet only where it is to have one."""
    droplet_id = known.get("dropletId")
    droplet_id = None if droplet_id is UNKNOWN else droplet_id or None
    if droplet_id and found.get("droplet"):
        droplet_id = found["droplet"]["id"]
    return {
        "dropletId": droplet_id,
        "ipAddress": found["ip"],
        "region": found["region"]["slug"],
        "reservedIpUrn": f"do:reservedip:{found['ip']}",
    }


def an_address(name: str, value: Value) -> str | None:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return f"expected {name} to contain a valid IPv4 address, got: {value}"
    return None


RESERVED_IP = Table(
    token="digitalocean:index/reservedIp:ReservedIp",  # noqa: S106
    noun="reserved IP",
    properties=(
        Property(name="dropletId", kind=Kind.WHOLE),
        Property(name="ipAddress", computed=True, validator=an_address),
        Property(name="region", required=True, replaces=True, stored=str.lower),
        Property(name="reservedIpUrn", upstream="urn", given=False, computed=True),
    ),
    create=create,
    read=read,
    update=update,
    delete=delete,
)
