"""What the network must be, given the records. Pure, and the same for the same records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from local_cloud.api import hints
from local_cloud.api.records import Droplet, Firewall
from local_cloud.machine import Forward, Guard, Network, Rule

EVERY_PORT = "0"
"""How DigitalOcean writes "all ports", and the ports of icmp."""


def plan(droplets: Sequence[Droplet], firewalls: Sequence[Firewall]) -> Network:
    """Guards for the droplets that a firewall covers (others are open), and all forwards."""
    guards = []
    for droplet in sorted(droplets, key=lambda droplet: droplet.id):
        covering = [firewall for firewall in firewalls if firewall.covers(droplet)]
        if covering:
            guards.append(_guard(droplet, covering, droplets))
    return Network(guards=tuple(guards), forwards=_forwards(droplets))


def _guard(droplet: Droplet, firewalls: Sequence[Firewall], droplets: Sequence[Droplet]) -> Guard:
    inbound = (rule for firewall in firewalls for rule in firewall.inbound)
    outbound = (rule for firewall in firewalls for rule in firewall.outbound)
    return Guard(
        machine_id=droplet.id,
        addresses=droplet.addresses,
        inbound=_rules(inbound, "sources", droplets),
        outbound=_rules(outbound, "destinations", droplets),
    )


def _rules(
    rules: Iterable[dict[str, Any]], other_side: str, droplets: Sequence[Droplet]
) -> tuple[Rule, ...]:
    """One rule per protocol and ports, with the peers of all firewalls together.

    A rule whose peers are all gone, or all IPv6 (the local cloud has none), permits nothing.
    """
    peers: dict[tuple[str, tuple[int, int] | None], list[IPv4Network]] = {}
    for rule in rules:
        permitted = peers.setdefault((rule["protocol"], _ports(rule)), [])
        permitted += _networks(rule[other_side], droplets)
    ordered = sorted(peers.items(), key=lambda item: (item[0][0], item[0][1] or (0, 0)))
    return tuple(
        Rule(protocol=protocol, ports=ports, peers=tuple(collapse_addresses(networks)))
        for (protocol, ports), networks in ordered
        if networks
    )


def _ports(rule: dict[str, Any]) -> tuple[int, int] | None:
    if rule["protocol"] == "icmp" or rule["ports"] == EVERY_PORT:
        return None
    first, _, last = rule["ports"].partition("-")
    return int(first), int(last or first)


def _networks(target: dict[str, Any], droplets: Sequence[Droplet]) -> list[IPv4Network]:
    networks = []
    for text in target.get("addresses", ()):
        network: IPv4Network | IPv6Network = ip_network(text, strict=False)
        if isinstance(network, IPv4Network):
            networks.append(network)
    ids, tags = set(target.get("droplet_ids", ())), set(target.get("tags", ()))
    for droplet in droplets:
        if droplet.id in ids or not tags.isdisjoint(droplet.tags):
            networks += [IPv4Network(address) for address in droplet.addresses]
    return networks


def _forwards(droplets: Sequence[Droplet]) -> tuple[Forward, ...]:
    forwards = [
        Forward(loopback_port=hint.loopback_port, address=droplet.private_address, port=hint.port)
        for droplet in droplets
        for hint in hints.forwards(droplet.tags)
    ]
    return tuple(sorted(forwards, key=lambda forward: forward.loopback_port))
