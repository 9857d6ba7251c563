"""What can be changed of a droplet that exists; anything else needs a new one."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import ApiError, GaveUp, Work
from local_cloud.plugins.digitalocean.droplet_state import finish_action, state_of, wait_for
from local_cloud.plugins.digitalocean.schema import HalfMade, Made
from local_cloud.plugins.shared_values import Properties

UPDATE_SECONDS = 3600


async def update(work: Work, identity: str, old: Properties, plan: Properties) -> Made:
    """Apply every change in turn.

    Raises `HalfMade` with the droplet as it then is when one of them fails.
    """

    def differs(name: str) -> bool:
        return bool(old.get(name) != plan[name] and (old.get(name) or plan[name]))

    try:
        if differs("size"):
            await _resize(work, identity, plan)
        if differs("name"):
            await _rename(work, identity, plan["name"])
        if differs("backups"):
            await _switch_backups(work, identity, plan)
        elif differs("backupPolicy") and plan["backupPolicy"]:
            await _act(
                work,
                identity,
                "change_backup_policy",
                backup_policy=policy_request(plan["backupPolicy"]),
            )
        if differs("privateNetworking") and plan["privateNetworking"] is True:
            await _enable(work, identity, "enable_private_networking", "private_networking")
        if differs("ipv6") and plan["ipv6"]:
            await _enable(work, identity, "enable_ipv6", "ipv6")
        if differs("tags"):
            await _retag(work, identity, old.get("tags") or [], plan["tags"] or [])
        if differs("volumeIds"):
            await _move_volumes(
                work, int(identity), old.get("volumeIds") or [], plan["volumeIds"] or []
            )
        # A creation that was interrupted may still be on its way.
        await wait_for(work, identity, lambda found: found["status"] != "new", UPDATE_SECONDS)
    except (ApiError, GaveUp) as error:
        raise HalfMade(
            await _now(work, identity, {**plan, **_undone(old, plan)}), str(error)
        ) from None
    return await _now(work, identity, plan)


async def _now(work: Work, identity: str, plan: Properties) -> Made:
    droplet = (await work.call("droplets.get", int(identity)))["droplet"]
    return Made(id=identity, state={**plan, **state_of(droplet)})


def _undone(old: Properties, plan: Properties) -> Properties:
    """What the API does not show: after a failure it counts as not yet changed."""
    return {name: old.get(name) for name in ("backupPolicy",) if name in plan}


async def _act(work: Work, identity: str, kind: str, **details: object) -> None:
    body = {"type": kind, **details}
    action = (await work.call("droplet_actions.post", int(identity), body))["action"]
    await finish_action(work, action, UPDATE_SECONDS)


async def _resize(work: Work, identity: str, plan: Properties) -> None:
    """A droplet is resized while it is off, and comes back also when the resize fails."""
    seconds = UPDATE_SECONDS
    try:
        await _act(work, identity, "power_off")
    except ApiError as error:
        if "already powered off" not in error.message:
            raise
    await wait_for(work, identity, lambda found: found["status"] == "off", seconds)
    try:
        await _act(work, identity, "resize", size=plan["size"], disk=plan["resizeDisk"])
    except (ApiError, GaveUp) as error:
        await _power_on(work, identity)
        raise GaveUp(f"Error resizing droplet ({identity}): {error}") from None
    await _power_on(work, identity)


async def _power_on(work: Work, identity: str) -> None:
    await _act(work, identity, "power_on")
    seconds = UPDATE_SECONDS
    await wait_for(work, identity, lambda found: found["status"] == "active", seconds)


async def _rename(work: Work, identity: str, name: str) -> None:
    await _act(work, identity, "rename", name=name)
    seconds = UPDATE_SECONDS
    await wait_for(work, identity, lambda found: found["name"] == name, seconds)


async def _switch_backups(work: Work, identity: str, plan: Properties) -> None:
    if not plan["backups"]:
        await _act(work, identity, "disable_backups")
    elif plan["backupPolicy"]:
        policy = policy_request(plan["backupPolicy"])
        await _act(work, identity, "enable_backups", backup_policy=policy)
    else:
        await _act(work, identity, "enable_backups")


def policy_request(policy: Properties) -> Properties:
    return {name: value for name, value in policy.items() if value is not None}


async def _enable(work: Work, identity: str, kind: str, feature: str) -> None:
    await _act(work, identity, kind)
    seconds = UPDATE_SECONDS
    await wait_for(work, identity, lambda found: feature in found["features"], seconds)


async def _retag(work: Work, identity: str, old: list[str], new: list[str]) -> None:
    body = {"resources": [{"resource_id": identity, "resource_type": "droplet"}]}
    for tag in sorted(set(old) - set(new)):
        await work.call("tags.unassign_resources", tag, body)
    for tag in sorted(set(new) - set(old)):
        await work.call("tags.create", {"name": tag})
        await work.call("tags.assign_resources", tag, body)


async def _move_volumes(work: Work, droplet: int, old: list[str], new: list[str]) -> None:
    for volume in sorted(set(new) - set(old)):
        await _act_on_volume(work, droplet, volume, "attach")
    for volume in sorted(set(old) - set(new)):
        await detach(work, droplet, volume)


async def detach(work: Work, droplet: int, volume: str) -> None:
    await _act_on_volume(work, droplet, volume, "detach")


async def _act_on_volume(work: Work, droplet: int, volume: str, kind: str) -> None:
    body = {"type": kind, "droplet_id": droplet}
    action = (await work.call("volume_actions.post_by_id", volume, body))["action"]
    await finish_action(work, action, UPDATE_SECONDS)
