"""The firewall between the machines, this computer and the world: one nftables table per cloud.

`render` is pure: the same machines and permissions give the same text. `nft -f` applies it whole or
not at all, so that there is no moment without a firewall.

    who                          to whom              passes
    a machine                    its own VPC          yes, if both firewalls permit
    a machine                    another VPC          no
    a machine                    public addresses     yes, if both firewalls permit
    a machine                    the outside          yes, if its firewall permits (masqueraded)
    a machine                    this computer        only ping, and the services below
    this computer                a machine            yes, if the machine's firewall permits
    the outside                  a machine            no
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

from local_cloud.hosts.commands import run, succeeds
from local_cloud.hosts.names import Names
from local_cloud.hosts.netns import MachineNetwork
from local_cloud.machine import Guard, Rule

PACKAGE_CACHE_PORT = 3142
"""Where machines find the package cache, at the gateway of their public network."""

DOMAIN_PORT = 53


@dataclass(frozen=True, kw_only=True)
class Services:
    """What of this computer the machines may use, at their public gateway."""

    gateway: IPv4Address
    package_cache_port: int | None = None
    """The port on loopback of the package cache, when it runs."""
    name_server: tuple[IPv4Address, int] | None = None
    """Address and port on loopback of the cloud's name server, or of this computer's own one."""
    ports: tuple[int, ...] = ()
    """Ports of loopback that machines find under the same number: of the cloud's own servers."""


def render(
    names: Names,
    machines: Sequence[MachineNetwork],
    guards: Sequence[Guard],
    services: Services,
) -> str:
    """The whole table, as text for `nft -f`."""
    ours = f'"{names.card_prefix}*"'
    cards = [card for machine in machines for card in (machine.public, machine.private)]
    guarded = [(guard, address) for guard in guards for address in guard.addresses]
    networks = sorted({card.interface.network for card in cards})
    private = sorted({machine.private.interface.network for machine in machines})
    public = sorted({machine.public.interface.network for machine in machines})
    lines = [
        # Adding it first lets the deletion succeed when there is no table yet.
        f"table inet {names.table} {{}}",
        f"delete table inet {names.table}",
        f"table inet {names.table} {{",
        *_set(
            "cards",
            "ifname . ipv4_addr",
            (
                *(f'"{card.outside}" . {card.interface.address}' for card in cards),
                *(
                    f'"{machine.public.outside}" . {address}'
                    for machine in machines
                    for address in machine.reserved
                ),
            ),
        ),
        *_map("inbound", (f"{address} : jump in_{guard.machine_id}" for guard, address in guarded)),
        *_map(
            "outbound", (f"{address} : jump out_{guard.machine_id}" for guard, address in guarded)
        ),
        *_chain(
            "from_machines",
            "type filter hook prerouting priority raw",
            f"iifname != {ours} accept",
            "meta nfproto ipv6 drop",
            # A machine speaks for itself only, and never to this computer's loopback.
            "iifname . ip saddr != @cards drop",
            "ip daddr 127.0.0.0/8 drop",
        ),
        *_chain(
            "to_services",
            "type nat hook prerouting priority dstnat",
            f"iifname != {ours} accept",
            *_translations(services),
        ),
        *_chain(
            "to_the_outside",
            "type nat hook postrouting priority srcnat",
            *(f"ip saddr {network} oifname != {ours} masquerade" for network in public),
        ),
        *_chain(
            "to_this_computer",
            "type filter hook input priority filter",
            f"iifname != {ours} accept",
            "ct state established,related accept",
            "icmp type echo-request accept",
            "ct status dnat accept",
            "drop",
        ),
        *_chain(
            "between",
            "type filter hook forward priority filter",
            f"iifname != {ours} oifname != {ours} accept",
            "ct state established,related accept",
            "ct state invalid drop",
            f"iifname != {ours} drop",
            # Where clouds keep their secrets: this computer's are none of a machine's business.
            "ip daddr 169.254.0.0/16 reject",
            *(
                f"ip saddr {network} ip daddr != {network} drop\n"
                f"ip daddr {network} ip saddr != {network} drop"
                for network in private
            ),
            # An address of ours that no machine has: answer, rather than ask the outside for it.
            *(
                f"ip daddr {network} oifname != {ours} reject with icmp type host-unreachable"
                for network in networks
            ),
            "ip saddr vmap @outbound",
            "ip daddr vmap @inbound",
        ),
        *_chain(
            "from_this_computer",
            "type filter hook output priority filter",
            *(
                f'ip daddr {network} oifname != "lo" oifname != {ours}'
                " reject with icmp type host-unreachable"
                for network in networks
            ),
            f"oifname != {ours} accept",
            "ct state established,related accept",
            "ip daddr vmap @inbound",
        ),
    ]
    for guard in guards:
        lines += _rules(f"in_{guard.machine_id}", "saddr", guard.inbound)
        lines += _rules(f"out_{guard.machine_id}", "daddr", guard.outbound)
    return "\n".join([*lines, "}", ""])


def apply(text: str) -> None:
    """Put a rendered table in place of the one before."""
    run(["nft", "-f", "-"], stdin=text)


def remove(names: Names) -> None:
    """Take the cloud's table away, if there is one."""
    succeeds(["nft", "delete", "table", "inet", names.table])


def _translations(services: Services) -> Iterable[str]:
    here = f"ip daddr {services.gateway}"
    if services.package_cache_port is not None:
        to = f"127.0.0.1:{services.package_cache_port}"
        yield f"{here} tcp dport {PACKAGE_CACHE_PORT} dnat ip to {to}"
    for port in services.ports:
        yield f"{here} tcp dport {port} dnat ip to 127.0.0.1:{port}"
    if services.name_server is not None:
        address, port = services.name_server
        for protocol in ("udp", "tcp"):
            yield f"{here} {protocol} dport {DOMAIN_PORT} dnat ip to {address}:{port}"


def _rules(name: str, side: str, rules: Sequence[Rule]) -> list[str]:
    """A chain that returns on the first permission and drops what none permits."""
    statements = [statement for rule in rules for statement in _permissions(side, rule)]
    return _chain(name, None, *statements, "drop")


def _permissions(side: str, rule: Rule) -> Iterable[str]:
    peers = _peers(side, rule.peers)
    if peers is None:
        return
    if rule.protocol == "icmp":
        yield f"{peers}meta l4proto icmp return"
    elif rule.ports is None:
        yield f"{peers}meta l4proto {rule.protocol} return"
    else:
        first, last = rule.ports
        ports = str(first) if first == last else f"{first}-{last}"
        yield f"{peers}{rule.protocol} dport {ports} return"


def _peers(side: str, peers: Sequence[IPv4Network]) -> str | None:
    """The match on the other side; None when there is nobody to permit."""
    if not peers:
        return None
    if any(peer.prefixlen == 0 for peer in peers):
        return ""
    return f"ip {side} {{ {', '.join(str(peer) for peer in _merged(peers))} }} "


def _merged(networks: Sequence[IPv4Network]) -> list[IPv4Network]:
    """Without overlaps, which nftables refuses."""
    return list(collapse_addresses(networks))


def _chain(name: str, hook: str | None, *statements: str) -> list[str]:
    inner = [line for statement in statements for line in statement.split("\n")]
    head = [f"\t\t{hook}; policy accept;"] if hook else []
    return [f"\tchain {name} {{", *head, *(f"\t\t{line}" for line in inner), "\t}"]


def _set(name: str, kind: str, elements: Iterable[str]) -> list[str]:
    return _collection("set", name, kind, elements)


def _map(name: str, elements: Iterable[str]) -> list[str]:
    return _collection("map", name, "ipv4_addr : verdict", elements)


def _collection(what: str, name: str, kind: str, elements: Iterable[str]) -> list[str]:
    members = ",\n\t\t\t".join(elements)
    content = [f"\t\telements = {{\n\t\t\t{members}\n\t\t}}"] if members else []
    return [f"\t{what} {name} {{", f"\t\ttype {kind}", *content, "\t}"]
