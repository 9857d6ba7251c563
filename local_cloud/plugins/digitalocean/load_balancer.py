"""`digitalocean.LoadBalancer`: one address in front of several droplets.

Its properties, in `load_balancer_properties.py`, include those that only DigitalOcean itself
serves: the local cloud refuses them by name.
"""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import ApiError, GaveUp, Unreachable, Work
from local_cloud.plugins.digitalocean.load_balancer_certificates import (
    expanded_rules,
    with_certificate_names,
)
from local_cloud.plugins.digitalocean.load_balancer_properties import (
    FORWARDING_RULE,
    HEALTH_CHECK,
    PROPERTIES,
    STICKY_SESSIONS,
)
from local_cloud.plugins.digitalocean.schema import HalfMade, Made, Property, Table, ordered
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Value

CREATE_SECONDS = 600

SIZES = {"lb-small": 1, "lb-medium": 3, "lb-large": 6}
"""The old sizes, in units."""

FLAGS = (
    "redirectHttpToHttps",
    "enableProxyProtocol",
    "enableBackendKeepalive",
    "disableLetsEncryptDnsRecords",
)
OPTIONAL = (
    "httpIdleTimeoutSeconds",
    "vpcUuid",
    "type",
    "targetLoadBalancerIds",
    "network",
    "networkStack",
    "tlsCipherPolicy",
    "projectId",
)
"""Sent only when there is something to send."""
SENT_RULE = tuple(item for item in FORWARDING_RULE if item.name != "certificateName")
CHECKED_TOGETHER = ("protocol", "path")


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    body = _request(plan, await expanded_rules(work, plan["forwardingRules"]))
    made = (await work.call("load_balancers.create", body))["load_balancer"]
    identity = made["id"]

    async def active() -> Properties | None:
        found = (await work.call("load_balancers.get", identity))["load_balancer"]
        if found["status"] == "errored":
            made.update(found)
            raise GaveUp("unexpected state 'errored', wanted target 'active'")
        return dict(found) if found["status"] == "active" else None

    try:
        made = await work.wait(active, CREATE_SECONDS)
        made = await with_certificate_names(work, made)
    except (ApiError, Unreachable, GaveUp) as error:
        raise HalfMade(
            Made(id=identity, state=_state(made, plan)),
            f"waiting for Load LoadBalancerSpec ({plan['name']}) to become active: {error}",
        ) from None
    return Made(id=identity, state=_state(made, plan))


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    answer = await work.find("load_balancers.get", identity)
    if answer is None:
        return None
    found = await with_certificate_names(work, answer["load_balancer"])
    return Made(id=identity, state=_state(found, state))


async def update(work: Work, identity: str, old: Properties, plan: Properties) -> Made:
    body = _request(plan, await expanded_rules(work, plan["forwardingRules"]))
    await work.call("load_balancers.update", identity, body)
    answer = await work.call("load_balancers.get", identity)
    found = await with_certificate_names(work, answer["load_balancer"])
    return Made(id=identity, state=_state(found, plan))


async def delete(work: Work, identity: str, state: Properties) -> None:
    await work.find("load_balancers.delete", identity)


def _request(plan: Properties, forwarding_rules: list[Properties]) -> Properties:
    plan = {name: None if value is UNKNOWN else value for name, value in plan.items()}
    body: Properties = {
        "name": plan["name"],
        "region": plan["region"] or "",
        "algorithm": plan["algorithm"],
        "forwarding_rules": [_there(SENT_RULE, rule) for rule in forwarding_rules],
        **{_named(name): bool(plan[name]) for name in FLAGS},
        **{_named(name): plan[name] for name in OPTIONAL if plan[name]},
    }
    if plan["sizeUnit"]:
        body["size_unit"] = plan["sizeUnit"]
    elif plan["size"]:
        body["size"] = plan["size"]
    if plan["dropletTag"]:
        body["tag"] = plan["dropletTag"]
    elif plan["dropletIds"]:
        body["droplet_ids"] = plan["dropletIds"]
    if plan["healthcheck"]:
        body["health_check"] = _there(HEALTH_CHECK, plan["healthcheck"])
    if plan["stickySessions"]:
        body["sticky_sessions"] = _there(STICKY_SESSIONS, plan["stickySessions"])
    if plan["firewall"]:
        rules = plan["firewall"]
        body["firewall"] = {"allow": rules["allows"] or [], "deny": rules["denies"] or []}
    if plan["domains"]:
        body["domains"] = [
            {"name": domain["name"], "is_managed": domain["isManaged"]}
            for domain in plan["domains"]
        ]
    if plan["glbSettings"]:
        settings = plan["glbSettings"]
        body["glb_settings"] = {
            "target_protocol": settings["targetProtocol"],
            "target_port": settings["targetPort"],
        }
    return body


def _named(name: str) -> str:
    item = LOAD_BALANCER.property(name)
    assert item is not None
    return item.in_messages


def _there(fields: tuple[Property, ...], value: Properties) -> Properties:
    """An object as the API has it: without what nobody set."""
    given = {item.in_messages: value.get(item.name) for item in fields}
    return {name: each for name, each in given.items() if each and each is not UNKNOWN}


def _here(fields: tuple[Property, ...], value: Properties) -> Properties:
    """An object as the state has it: complete."""
    empty: dict[str, Value] = {"TEXT": "", "WHOLE": 0, "FLAG": False}
    return {item.name: value.get(item.in_messages) or empty[item.kind.name] for item in fields}


def _state(found: Properties, known: Properties) -> Properties:
    """What the API says, and what it says nothing of as it is known."""
    rules = [_here(FORWARDING_RULE, rule) for rule in found.get("forwarding_rules") or []]
    item = LOAD_BALANCER.property("forwardingRules")
    assert item is not None
    state: Properties = {
        "name": found["name"],
        "loadBalancerUrn": f"do:loadbalancer:{found['id']}",
        "ip": found.get("ip") or "",
        "status": found["status"],
        "algorithm": found.get("algorithm") or "",
        "dropletTag": found.get("tag") or "",
        "vpcUuid": found.get("vpc_uuid") or "",
        "httpIdleTimeoutSeconds": found.get("http_idle_timeout_seconds") or 0,
        "projectId": found.get("project_id") or "",
        "type": found.get("type") or "",
        "dropletIds": sorted(found.get("droplet_ids") or []),
        "forwardingRules": ordered(item, rules),
        "targetLoadBalancerIds": sorted(found.get("target_load_balancer_ids") or []),
        "domains": [],
        "glbSettings": None,
        "firewall": None,
        "healthcheck": None,
        "stickySessions": None,
        **{name: bool(found.get(_named(name))) for name in FLAGS},
    }
    for name in ("network", "networkStack", "tlsCipherPolicy", "size", "sizeUnit", "ipv6"):
        state[name] = None if known.get(name) is UNKNOWN else known.get(name)
    if found.get("ipv6"):
        state["ipv6"] = found["ipv6"]
    if found.get("size_unit"):
        state["sizeUnit"] = found["size_unit"]
    else:
        state["size"] = found.get("size") or ""
    if found.get("region"):
        state["region"] = found["region"]["slug"]
    if found.get("health_check"):
        state["healthcheck"] = _here(HEALTH_CHECK, found["health_check"])
    if found.get("sticky_sessions"):
        state["stickySessions"] = _here(STICKY_SESSIONS, found["sticky_sessions"])
    if found.get("firewall") is not None:
        rules_of = found["firewall"]
        state["firewall"] = {
            "allows": rules_of.get("allow") or [],
            "denies": rules_of.get("deny") or [],
        }
    return state


def validate_plan(plan: Properties) -> str | None:
    return (
        _validate_health_check(plan["healthcheck"])
        or _validate_sessions(plan["stickySessions"])
        or _validate_place(plan)
    )


def _validate_health_check(check: Value) -> str | None:
    """Upstream takes a value that is not known yet for one that is not given."""
    if check in (None, UNKNOWN):
        return None
    protocol, path = (None if check[name] is UNKNOWN else check[name] for name in CHECKED_TOGETHER)
    if protocol in ("http", "https") and not path:
        return f"health check `path` is required for when protocol is `{protocol}`"
    if protocol not in ("http", "https") and path:
        return "health check `path` is not allowed for when protocol is `tcp`"
    return None


def _validate_sessions(sessions: Value) -> str | None:
    if sessions in (None, UNKNOWN):
        return None
    for field, name in (("cookieName", "cookie_name"), ("cookieTtlSeconds", "cookie_ttl_seconds")):
        if sessions["type"] == "cookies" and not sessions.get(field):
            return f"sticky sessions `{name}` is required for when type is `cookie`"
        if sessions["type"] == "none" and sessions.get(field):
            return f"sticky sessions `{name}` is not allowed for when type is `none`"
    return None


def _validate_place(plan: Properties) -> str | None:
    kind, region = plan["type"], plan["region"]
    if not kind or kind is UNKNOWN:
        return None if region else "missing 'region' value"
    if kind.upper() == "GLOBAL":
        return f"'region' must be empty or not set when 'type' is '{kind}'" if region else None
    return None if region else f"'region' must be set and not be empty when 'type' is '{kind}'"


def adjust_plan(prior: Properties, plan: Properties) -> bool:
    """An old size that says the same as the units is no change."""
    if plan["size"] and SIZES.get(plan["size"]) == plan["sizeUnit"]:
        plan["size"] = prior.get("size")
    return False


LOAD_BALANCER = Table(
    token="digitalocean:index/loadBalancer:LoadBalancer",  # noqa: S106
    noun="Load LoadBalancerSpec",
    properties=PROPERTIES,
    schema_version="1",
    create=create,
    read=read,
    update=update,
    delete=delete,
    validate_plan=validate_plan,
    adjust_plan=adjust_plan,
)
