"""What the network must be, given the records. Pure, and the same for the same records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from local_cloud.api import hints
from local_cloud.api.load_balancer_spec import load_balancer_spec
from local_cloud.api.models import Droplet, Firewall, LoadBalancer, ReservedIp, Vpc
from local_cloud.machine import Certificate, Forward, Guard, Network, ReservedAddress, Rule

EVERY_PORT = "0"
"""How DigitalOcean writes "all ports", and the ports of icmp."""


@dataclass(frozen=True, kw_only=True)
class Peers:
    """All that a rule can name."""

    droplets: Sequence[Droplet]
    load_balancers: Sequence[LoadBalancer]


def plan(
    droplets: Sequence[Droplet],
    firewalls: Sequence[Firewall],
    load_balancers: Sequence[LoadBalancer],
    public: IPv4Network,
    vpcs: Sequence[Vpc] = (),
    certificates: Mapping[str, Certificate] | None = None,
    reserved_ips: Sequence[ReservedIp] = (),
) -> Network:
    """Guards for the droplets that a firewall covers (others are open), forwards, balancers."""
    active = [one for one in load_balancers if one.status == "active"]
    peers = Peers(droplets=droplets, load_balancers=load_balancers)
    guards = []
    for droplet in sorted(droplets, key=lambda droplet: droplet.id):
        covering = [firewall for firewall in firewalls if firewall.covers(droplet)]
        if covering:
            more = [each.ip for each in reserved_ips if each.droplet_id == droplet.id]
            guards.append(_guard(droplet, covering, peers, more))
    return Network(
        guards=tuple(guards),
        forwards=_forwards(droplets, active),
        load_balancers=tuple(
            load_balancer_spec(one, droplets, public, certificates or {}) for one in active
        ),
        reserved=tuple(
            ReservedAddress(address=each.ip, machine_id=each.droplet_id)
            for each in reserved_ips
            if each.droplet_id is not None
        ),
        ranges=tuple(sorted(vpc.ip_range for vpc in vpcs)),
    )


def _guard(
    droplet: Droplet, firewalls: Sequence[Firewall], peers: Peers, reserved: Iterable[IPv4Address]
) -> Guard:
    inbound = (rule for firewall in firewalls for rule in firewall.inbound)
    outbound = (rule for firewall in firewalls for rule in firewall.outbound)
    return Guard(
        machine_id=droplet.id,
        addresses=(*droplet.addresses, *reserved),
        inbound=_rules(inbound, "sources", peers),
        outbound=_rules(outbound, "destinations", peers),
    )


def _rules(rules: Iterable[dict[str, Any]], other_side: str, peers: Peers) -> tuple[Rule, ...]:
    """One rule per protocol and ports, with the peers of all firewalls together.

    A rule whose peers are all gone, or all IPv6 (the local cloud has none), permits nothing.
    """
    permitted: dict[tuple[str, tuple[int, int] | None], list[IPv4Network]] = {}
    for rule in rules:
        networks = permitted.setdefault((rule["protocol"], _ports(rule)), [])
        networks += _networks(rule[other_side], peers)
    ordered = sorted(permitted.items(), key=lambda item: (item[0][0], item[0][1] or (0, 0)))
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


def _networks(target: dict[str, Any], peers: Peers) -> list[IPv4Network]:
    networks = []
    for text in target.get("addresses", ()):
        network: IPv4Network | IPv6Network = ip_network(text, strict=False)
        if isinstance(network, IPv4Network):
            networks.append(network)
    ids, tags = set(target.get("droplet_ids", ())), set(target.get("tags", ()))
    for droplet in peers.droplets:
        if droplet.id in ids or not tags.isdisjoint(droplet.tags):
            networks += [IPv4Network(address) for address in droplet.addresses]
    for load_balancer in peers.load_balancers:
        if load_balancer.id in target.get("load_balancer_uids", ()):
            networks += [IPv4Network(address) for address in load_balancer.addresses]
    return networks


def _forwards(
    droplets: Sequence[Droplet], load_balancers: Sequence[LoadBalancer]
) -> tuple[Forward, ...]:
    by_port = {
        hint.loopback_port: Forward(
            loopback_port=hint.loopback_port, address=droplet.private_address, port=hint.port
        )
        for droplet in droplets
        for hint in hints.forwards(droplet.tags)
    }
    # Once there is a load balancer its way goes first: a fleet grows from one without an outage.
    by_port |= _wished_balancers(droplets, load_balancers)
    return tuple(by_port[loopback_port] for loopback_port in sorted(by_port))


def _wished_balancers(
    droplets: Sequence[Droplet], load_balancers: Sequence[LoadBalancer]
) -> dict[int, Forward]:
    """By loopback port: of several load balancers, to the oldest."""
    wished: dict[int, Forward] = {}
    for load_balancer in load_balancers:
        entries = [rule["entry_port"] for rule in load_balancer.settings["forwarding_rules"]]
        for droplet in droplets:
            if not load_balancer.serves(droplet):
                continue
            for hint in hints.balancers(droplet.tags):
                entry = hint.entry_port or _plainest(load_balancer)
                if entry in entries:
                    forward = Forward(
                        loopback_port=hint.loopback_port,
                        address=load_balancer.public_address,
                        port=entry,
                    )
                    wished.setdefault(hint.loopback_port, forward)
    return wished


def _plainest(load_balancer: LoadBalancer) -> int:
    """The entry port of the first rule without TLS: rules of a program come in no order."""
    rules = load_balancer.settings["forwarding_rules"]
    plain = (rule for rule in rules if rule["entry_protocol"] in ("http", "tcp"))
    port: int = next(plain, rules[0])["entry_port"]
    return port
