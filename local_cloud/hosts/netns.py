"""The network of a machine: a network namespace with two routed interfaces, public and private.

Nothing is bridged. Each interface is a veth pair. Its outer end, on this computer, has the address
of the network's gateway, through which the machine reaches all others; a route per interface leads
back. So all traffic passes this computer's `forward` hook, where the firewall is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from local_cloud.hosts.commands import run, succeeds
from local_cloud.hosts.names import Names
from local_cloud.machine import Interface, MachineError

SINGLE = 32
"""The length of a prefix that is one address."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One veth pair: its name on this computer, its name inside the machine, and its addresses."""

    outside: str
    inside: str
    interface: Interface


@dataclass(frozen=True, kw_only=True)
class MachineNetwork:
    """The whole network of a machine, derived from its record."""

    namespace: str
    public: Card
    private: Card
    reserved: tuple[IPv4Address, ...] = ()
    """Addresses that the public card has beside its own, until they move to another machine."""

    @classmethod
    def of(
        cls,
        names: Names,
        machine_id: int | str,
        public: Interface,
        private: Interface,
        reserved: tuple[IPv4Address, ...] = (),
    ) -> MachineNetwork:
        return cls(
            reserved=reserved,
            namespace=names.machine(machine_id),
            public=Card(outside=names.public_card(machine_id), inside="eth0", interface=public),
            private=Card(outside=names.private_card(machine_id), inside="eth1", interface=private),
        )

    @property
    def is_connected(self) -> bool:
        """Whether the namespace and both veth pairs exist."""
        cards = (self.public.outside, self.private.outside)
        there = all(Path("/sys/class/net", card).exists() for card in cards)
        return there and Path("/run/netns", self.namespace).exists()

    def connect(self) -> None:
        """Create the namespace, veth pairs, addresses and routes, replacing what exists."""
        disconnect(self.namespace, self.public.outside, self.private.outside)
        run(["ip", "netns", "add", self.namespace])
        outer, inner = [], ["link set lo up"]
        for card in (self.public, self.private):
            here, there = card.interface.gateway, card.interface.address
            outer += [
                f"link add {card.outside} type veth peer name {card.inside} netns {self.namespace}",
                f"address add {here}/32 dev {card.outside}",
            ]
            network = card.interface.network
            # Neighbours are routed through the gateway, which reports a missing one at once. An ARP
            # request on the veth pair would get no answer, and time out after seconds.
            inner += [
                f"address add {there}/{network.prefixlen} dev {card.inside} noprefixroute",
                f"link set {card.inside} up",
                f"route add {here}/32 dev {card.inside} src {there}",
                f"route add {network} via {here} dev {card.inside} src {there}",
            ]
        run(["ip", "-batch", "-"], stdin="\n".join(outer))
        for card in (self.public, self.private):
            _tune(card.outside)
        up = []
        for card in (self.public, self.private):
            here, there = card.interface.gateway, card.interface.address
            up += [
                f"link set {card.outside} up",
                f"route add {there}/32 dev {card.outside} src {here}",
            ]
        inner.append(f"route add default via {self.public.interface.gateway}")
        run(["ip", "-batch", "-"], stdin="\n".join(up))
        run(["ip", "-netns", self.namespace, "-batch", "-"], stdin="\n".join(inner))
        self._add(self.reserved)

    def keep_reserved(self) -> None:
        """Make the reserved addresses of a connected machine be exactly these."""
        inside = ["ip", "-netns", self.namespace]
        cards = json.loads(run([*inside, "-json", "address", "show", "dev", self.public.inside]))
        there = {
            IPv4Address(each["local"])
            for each in cards[0]["addr_info"]
            # Its own address is written with its network.
            if each["family"] == "inet" and each["prefixlen"] == SINGLE
        }
        for address in there.difference(self.reserved):
            succeeds(["ip", "route", "delete", f"{address}/{SINGLE}", "dev", self.public.outside])
            there_is = [f"{address}/{SINGLE}", "dev", self.public.inside]
            run([*inside, "address", "delete", *there_is])
        self._add(address for address in self.reserved if address not in there)

    def _add(self, reserved: Iterable[IPv4Address]) -> None:
        gateway = self.public.interface.gateway
        for address in reserved:
            there = [f"{address}/{SINGLE}", "dev", self.public.inside]
            run(["ip", "-netns", self.namespace, "address", "add", *there])
            route = [f"{address}/{SINGLE}", "dev", self.public.outside, "src", str(gateway)]
            # Replaced: where it has just come from may not have let go of it.
            run(["ip", "route", "replace", *route])


def disconnect(namespace: str, *cards: str) -> None:
    """Remove the network of a machine; missing parts are not an error."""
    for card in cards:
        if Path("/sys/class/net", card).exists():
            succeeds(["ip", "link", "delete", card])
    if Path("/run/netns", namespace).exists():
        succeeds(["ip", "netns", "delete", namespace])


def disconnect_all(namespaces: list[str], cards: list[str]) -> None:
    """Remove the networks of several machines."""
    for card in cards:
        succeeds(["ip", "link", "delete", card])
    for namespace in namespaces:
        succeeds(["ip", "netns", "delete", namespace])


def leftovers(names: Names) -> tuple[list[str], list[str]]:
    """The namespaces and cards of a cloud that exist now."""
    namespaces = sorted(path.name for path in Path("/run/netns").glob(names.machine_prefix + "*"))
    cards = sorted(path.name for path in Path("/sys/class/net").glob(names.card_prefix + "*"))
    return namespaces, cards


@dataclass(frozen=True, kw_only=True)
class Collision:
    """A network that this computer already routes, and its owner."""

    network: IPv4Network
    card: str | None
    cloud: Names | None
    """The local cloud that owns the network; None if none does."""

    def __str__(self) -> str:
        if self.cloud is not None:
            return f"{self.network} of another local cloud on this computer"
        return f"{self.network} on {self.card or 'this computer'}"


def collision(network: IPv4Network, names: Names) -> Collision | None:
    """What else on this computer already uses a part of the network."""
    for route in json.loads(run(["ip", "-json", "route", "show", "table", "all"])):
        cloud = _cloud_of(route)
        if route["dst"] == "default" or cloud == names:
            continue
        try:
            used = IPv4Network(route["dst"], strict=False)
        except ValueError:  # a route of IP version 6
            continue
        if used.overlaps(network):
            return Collision(network=used, card=route.get("dev"), cloud=cloud)
    return None


def _cloud_of(route: dict[str, Any]) -> Names | None:
    """The cloud that made a route, by the name of its card or by its metric."""
    if route.get("type") == "unreachable":
        return Names.with_route_metric(route.get("metric", 0))
    return Names.with_card(route.get("dev", ""))


def name_servers(resolver: str) -> tuple[IPv4Address, ...]:
    """The addresses in a resolv.conf's text."""
    found = []
    for line in resolver.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                found.append(IPv4Address(words[1]))
            except ValueError:  # IP version 6, which machines do not have
                continue
    return tuple(found)


def _tune(card: str) -> None:
    """Answer for other machines' addresses, at once; accept what the firewall leads to loopback."""
    settings = {
        f"ipv4/conf/{card}/proxy_arp": "1",
        f"ipv4/neigh/{card}/proxy_delay": "0",
        f"ipv4/conf/{card}/route_localnet": "1",
        f"ipv6/conf/{card}/disable_ipv6": "1",
    }
    for name, value in settings.items():
        path = Path("/proc/sys/net", name)
        if path.exists():
            path.write_text(value)
        elif not name.startswith("ipv6"):
            raise MachineError(f"this kernel has no network setting {name}")
