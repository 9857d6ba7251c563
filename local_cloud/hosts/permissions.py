"""The firewalls' permissions as a file: they outlive the process that asked for them."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from local_cloud.hosts.models import write_atomically
from local_cloud.machine import Guard, Rule


def save(path: Path, guards: tuple[Guard, ...]) -> None:
    content = [
        {
            "machine_id": guard.machine_id,
            "addresses": [str(address) for address in guard.addresses],
            "inbound": [_rule_to_json(rule) for rule in guard.inbound],
            "outbound": [_rule_to_json(rule) for rule in guard.outbound],
        }
        for guard in guards
    ]
    write_atomically(path, json.dumps(content, indent=1) + "\n")


def load(path: Path) -> tuple[Guard, ...]:
    """The permissions saved last; none before the first time."""
    if not path.exists():
        return ()
    return tuple(
        Guard(
            machine_id=entry["machine_id"],
            addresses=tuple(IPv4Address(address) for address in entry["addresses"]),
            inbound=tuple(_rule_from_json(rule) for rule in entry["inbound"]),
            outbound=tuple(_rule_from_json(rule) for rule in entry["outbound"]),
        )
        for entry in json.loads(path.read_text())
    )


def _rule_to_json(rule: Rule) -> dict[str, Any]:
    return {
        "protocol": rule.protocol,
        "ports": rule.ports,
        "peers": [str(peer) for peer in rule.peers],
    }


def _rule_from_json(content: dict[str, Any]) -> Rule:
    ports = content["ports"]
    return Rule(
        protocol=content["protocol"],
        ports=(ports[0], ports[1]) if ports else None,
        peers=tuple(IPv4Network(peer) for peer in content["peers"]),
    )
