"""The rules of firewalls, read strictly and kept in DigitalOcean's own normal form."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from local_cloud.api import tags
from local_cloud.api.errors import unprocessable
from local_cloud.api.identifiers import Number
from local_cloud.api.network_plan import EVERY_PORT

HIGHEST_PORT = 65535
ALLOWED_PORTS = "give a port such as '80', a range such as '8000-9000', or 'all'"

NormalRule = dict[str, Any]


def _ports(text: str) -> str:
    if text in ("", "0", "all"):
        return EVERY_PORT
    first, dash, last = text.partition("-")
    if not (_is_port(first) and (_is_port(last) if dash else True)):
        raise ValueError(ALLOWED_PORTS)
    if dash and int(first) > int(last):
        raise ValueError(f"the range ends before it begins; {ALLOWED_PORTS}")
    return f"{int(first)}-{int(last)}" if dash else str(int(first))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= HIGHEST_PORT


def _address(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError("give an address or a range such as '203.0.113.0/24' or '::/0'") from None
    return text


class Target(BaseModel):
    """The other side of a rule; what is not named is not permitted."""

    addresses: list[Annotated[str, AfterValidator(_address)]] | None = None
    droplet_ids: list[Number] | None = None
    tags: list[str] | None = None
    load_balancer_uids: list[str] | None = None
    kubernetes_ids: list[str] | None = None


class RuleBase(BaseModel):
    protocol: Literal["tcp", "udp", "icmp"]
    ports: Annotated[str, AfterValidator(_ports)] = EVERY_PORT
    """The description requires it for tcp and udp; DigitalOcean takes its absence for icmp."""


class InboundRule(RuleBase):
    sources: Target


class OutboundRule(RuleBase):
    destinations: Target


class Rules(BaseModel):
    inbound_rules: Annotated[list[InboundRule] | None, Field(max_length=200)] = None
    outbound_rules: Annotated[list[OutboundRule] | None, Field(max_length=200)] = None

    def normal(self, db: sqlite3.Connection) -> tuple[list[NormalRule], list[NormalRule]]:
        """Both lists in normal form, each rule once; 422 names what does not exist."""
        inbound = [
            _normal(db, rule, "sources", rule.sources, f"inbound_rules.{index}")
            for index, rule in enumerate(self.inbound_rules or ())
        ]
        outbound = [
            _normal(db, rule, "destinations", rule.destinations, f"outbound_rules.{index}")
            for index, rule in enumerate(self.outbound_rules or ())
        ]
        return unique(inbound), unique(outbound)


def unique(rules: Iterable[NormalRule]) -> list[NormalRule]:
    return list({meaning(rule): rule for rule in reversed(list(rules))}.values())[::-1]


def meaning(rule: NormalRule) -> str:
    """The same text for rules that permit the same, whatever the order of their peers."""
    side = "sources" if "sources" in rule else "destinations"
    peers = {kind: sorted(values) for kind, values in rule[side].items()}
    return json.dumps([rule["protocol"], rule["ports"], side, peers], sort_keys=True)


def _normal(
    db: sqlite3.Connection, rule: RuleBase, side: str, target: Target, path: str
) -> NormalRule:
    path = f"{path}.{side}"
    for identifier in target.kubernetes_ids or ():
        message = f"the local cloud has none, so no {identifier!r}"
        raise unprocessable(f"{path}.kubernetes_ids", message)
    for identifier in target.load_balancer_uids or ():
        if not db.execute("SELECT 1 FROM load_balancers WHERE id = ?", (identifier,)).fetchone():
            message = f"there is no load balancer {identifier!r}"
            raise unprocessable(f"{path}.load_balancer_uids", message)
    for droplet_id in target.droplet_ids or ():
        known_droplet(db, droplet_id, f"{path}.droplet_ids")
    peers = {
        "addresses": list(dict.fromkeys(target.addresses or ())),
        "droplet_ids": list(dict.fromkeys(target.droplet_ids or ())),
        "load_balancer_uids": list(dict.fromkeys(target.load_balancer_uids or ())),
        "tags": tags.known(db, target.tags or (), f"{path}.tags"),
    }
    named = {kind: values for kind, values in peers.items() if values}
    if not named:
        raise unprocessable(path, f"name at least one of {', '.join(peers)}")
    ports = EVERY_PORT if rule.protocol == "icmp" else rule.ports
    return {"protocol": rule.protocol, "ports": ports, side: named}


def known_droplet(db: sqlite3.Connection, droplet_id: int, field: str) -> int:
    if not db.execute("SELECT 1 FROM droplets WHERE id = ?", (droplet_id,)).fetchone():
        raise unprocessable(field, f"there is no droplet {droplet_id}")
    return droplet_id
