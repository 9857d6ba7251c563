"""A droplet as the API shows it, as a state, and the wait until it is as wanted."""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.plugins.digitalocean.api import ApiError, GaveUp, Work
from local_cloud.plugins.shared_values import Properties


class ActionFailed(GaveUp):
    """What the API was asked to do went wrong; there is nothing more to wait for."""


async def wait_for(
    work: Work,
    identity: str,
    wanted: Callable[[Properties], bool],
    seconds: float,
    *,
    action: int | None = None,
    may_be_missing: bool = False,
) -> Properties:
    """Look at the droplet until it is unlocked and as wanted; return it.

    `action` is what should make it so: when that fails there is nothing to wait for.
    Raises `ActionFailed`, `GaveUp` with the droplet's status, `ApiError`.
    """
    last: Properties = {}

    async def look() -> Properties | None:
        try:
            last.update((await work.call("droplets.get", int(identity)))["droplet"])
        except ApiError as error:
            if error.status != 404 or not may_be_missing:
                raise
            return None
        if not last["locked"] and wanted(last):
            return last
        if action is not None:
            await check_action(work, action)
        return None

    try:
        return await work.wait(look, seconds)
    except ActionFailed:
        raise
    except GaveUp as error:
        status = last.get("status", "unknown")
        locked = ", locked" if last.get("locked") else ""
        raise GaveUp(f"{error} (its status is {status}{locked})") from None


async def finish_action(work: Work, action: Properties, seconds: float) -> None:
    """Wait until the action is completed. Raises `ActionFailed`, `GaveUp`."""

    async def over() -> bool | None:
        return await check_action(work, action["id"]) or None

    await work.wait(over, seconds)


async def check_action(work: Work, identity: int) -> bool:
    """Whether the action is completed. Raises `ActionFailed`."""
    action = (await work.call("actions.get", identity))["action"]
    if action["status"] == "errored":
        # DigitalOcean gives no reason; the local cloud does.
        reason = action.get("error_message") or "no reason given"
        raise ActionFailed(f"{action['type']} (action {identity}) failed: {reason}")
    return bool(action["status"] == "completed")


def state_of(droplet: Properties) -> Properties:
    """All of the state that the API decides."""
    size = droplet.get("size") or {}
    features = droplet.get("features") or []
    public = _address(droplet, "v4", "public")
    return {
        "name": droplet["name"],
        "dropletUrn": f"do:droplet:{droplet['id']}",
        "region": droplet["region"]["slug"],
        "size": size.get("slug") or droplet.get("size_slug"),
        "priceHourly": size.get("price_hourly"),
        "priceMonthly": size.get("price_monthly"),
        "disk": droplet["disk"],
        "vcpus": droplet["vcpus"],
        "memory": droplet["memory"],
        "status": droplet["status"],
        "locked": droplet["locked"],
        "createdAt": droplet["created_at"],
        "vpcUuid": droplet.get("vpc_uuid"),
        "ipv4Address": public,
        "ipv4AddressPrivate": _address(droplet, "v4", "private"),
        "ipv6Address": _address(droplet, "v6", "public").lower(),
        "publicNetworking": public != "",
        "backups": "backups" in features,
        "ipv6": "ipv6" in features,
        "privateNetworking": "private_networking" in features,
        "monitoring": "monitoring" in features,
        "volumeIds": sorted(droplet.get("volume_ids") or []),
        "tags": sorted(tag for tag in droplet.get("tags") or [] if tag),
    }


def _address(droplet: Properties, version: str, side: str) -> str:
    networks = (droplet.get("networks") or {}).get(version) or []
    return next((str(each["ip_address"]) for each in networks if each["type"] == side), "")
