"""`digitalocean.Firewall`: which traffic reaches and leaves droplets."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import Work
from local_cloud.plugins.digitalocean.schema import (
    Kind,
    Made,
    Property,
    Table,
    ordered,
)
from local_cloud.plugins.digitalocean.validators import a_tag, not_empty, one_of
from local_cloud.plugins.shared_values import Properties, Value

PEERS = {
    "Addresses": "addresses",
    "DropletIds": "droplet_ids",
    "LoadBalancerUids": "load_balancer_uids",
    "KubernetesIds": "kubernetes_ids",
    "Tags": "tags",
}
"""What a rule may point at: the end of the property's name, and the API's name."""

DIRECTIONS = (
    ("inboundRules", "inbound_rules", "source", "sources"),
    ("outboundRules", "outbound_rules", "destination", "destinations"),
)
"""(property, the API's list, prefix of the properties in a rule, the API's object in a rule)."""


def tags_property(name: str = "tags") -> Property:
    """Tags differ by more than upper and lower case."""
    return Property(
        name=name, kind=Kind.SET, validator=a_tag, identity=lambda tag: str(tag).lower()
    )


def _rule_properties(prefix: str) -> tuple[Property, ...]:
    peers = (
        Property(name=f"{prefix}Addresses", kind=Kind.SET, validator=not_empty),
        Property(name=f"{prefix}DropletIds", kind=Kind.SET, element=Kind.WHOLE),
        Property(name=f"{prefix}LoadBalancerUids", kind=Kind.SET, validator=not_empty),
        Property(name=f"{prefix}KubernetesIds", kind=Kind.SET, validator=not_empty),
        tags_property(f"{prefix}Tags"),
    )
    protocol = Property(name="protocol", required=True, validator=one_of("tcp", "udp", "icmp"))
    return (protocol, Property(name="portRange", validator=not_empty), *peers)


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    firewall = (await work.call("firewalls.create", _request(plan)))["firewall"]
    return await _looked_up(work, firewall["id"])


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    answer = await work.find("firewalls.get", identity)
    return Made(id=identity, state=_state(answer["firewall"])) if answer else None


async def update(work: Work, identity: str, old: Properties, plan: Properties) -> Made:
    await work.call("firewalls.update", identity, _request(plan))
    return await _looked_up(work, identity)


async def delete(work: Work, identity: str, state: Properties) -> None:
    await work.find("firewalls.delete", identity)


async def _looked_up(work: Work, identity: str) -> Made:
    answer = await work.call("firewalls.get", identity)
    return Made(id=identity, state=_state(answer["firewall"]))


def _request(plan: Properties) -> Properties:
    rules = {
        there: [_rule_request(rule, prefix, peers) for rule in plan[here] or []]
        for here, there, prefix, peers in DIRECTIONS
    }
    return {
        "name": plan["name"],
        "droplet_ids": plan["dropletIds"] or [],
        "tags": plan["tags"] or [],
        **rules,
    }


def _rule_request(rule: Properties, prefix: str, peers: str) -> Properties:
    wanted = {there: rule.get(prefix + here) for here, there in PEERS.items()}
    request: Properties = {"protocol": rule["protocol"]}
    if rule.get("portRange"):
        request["ports"] = rule["portRange"]
    request[peers] = {name: value for name, value in wanted.items() if value}
    return request


def _state(firewall: Properties) -> Properties:
    state: Properties = {
        "name": firewall["name"],
        "status": firewall["status"],
        "createdAt": firewall["created_at"],
        "dropletIds": sorted(firewall.get("droplet_ids") or []),
        "tags": sorted(firewall.get("tags") or []),
        "pendingChanges": [
            {
                "dropletId": change["droplet_id"],
                "removing": change["removing"],
                "status": change["status"],
            }
            for change in firewall.get("pending_changes") or []
        ],
    }
    for here, there, prefix, peers in DIRECTIONS:
        rules = [_rule_state(rule, prefix, peers) for rule in firewall.get(there) or []]
        item = FIREWALL.property(here)
        assert item is not None
        state[here] = ordered(item, rules)
    return state


def _rule_state(rule: Properties, prefix: str, peers: str) -> Properties:
    others = rule.get(peers) or {}
    state = {prefix + here: sorted(others.get(there) or []) for here, there in PEERS.items()}
    return {"protocol": rule["protocol"], "portRange": _port_range(rule), **state}


def _port_range(rule: Properties) -> str:
    """The API says "0" for every port, and for no port where a protocol has none."""
    ports = str(rule.get("ports") or "")
    if ports == "0":
        return "" if rule["protocol"] == "icmp" else "all"
    return ports


def validate_plan(plan: Properties) -> str | None:
    rules: dict[str, Value] = {here: plan[here] or [] for here, *_ in DIRECTIONS}
    if not any(rules.values()):
        return "At least one rule must be specified"
    for direction, name in (("inbound", "inboundRules"), ("outbound", "outboundRules")):
        for rule in rules[name] if isinstance(rules[name], list) else ():
            if rule["protocol"] != "icmp" and rule["portRange"] == "":
                return (
                    f"`port_range` of {direction} rules is required if protocol is `tcp` or `udp`"
                )
    return None


FIREWALL = Table(
    token="digitalocean:index/firewall:Firewall",  # noqa: S106
    noun="firewall",
    properties=(
        Property(name="name", required=True, validator=not_empty),
        Property(name="dropletIds", kind=Kind.SET, element=Kind.WHOLE),
        Property(
            name="inboundRules",
            kind=Kind.SET,
            upstream="inbound_rule",
            fields=_rule_properties("source"),
        ),
        Property(
            name="outboundRules",
            kind=Kind.SET,
            upstream="outbound_rule",
            fields=_rule_properties("destination"),
        ),
        tags_property(),
        Property(name="status", given=False, computed=True),
        Property(name="createdAt", given=False, computed=True),
        Property(
            name="pendingChanges",
            kind=Kind.LIST,
            given=False,
            computed=True,
            fields=(
                Property(name="dropletId", kind=Kind.WHOLE),
                Property(name="removing", kind=Kind.FLAG),
                Property(name="status"),
            ),
        ),
    ),
    create=create,
    read=read,
    update=update,
    delete=delete,
    validate_plan=validate_plan,
)
