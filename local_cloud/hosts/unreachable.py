"""What is said of addresses that no machine has: that nobody can be reached there.

Each machine has a route of its own, to its one address. Where there is none (not made yet, off,
destroyed) a packet would leave by this computer's default route, and whoever is there outside
would answer for the machine. A route for the whole range ends it here, at once; it stands as
long as the network does, whether or not machines and firewall are there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from ipaddress import IPv4Network

from local_cloud.hosts.commands import run, succeeds
from local_cloud.hosts.names import Names


def apply(names: Names, ranges: Collection[IPv4Network]) -> None:
    """Let exactly these ranges of a cloud be unreachable where no machine is."""
    there = found(names)
    for network in sorted(set(ranges) - there):
        run(["ip", "route", "replace", *_route(names, network)])
    remove(names, there - set(ranges))


def found(names: Names) -> set[IPv4Network]:
    """The ranges with such a route, known by its metric: a route has no name to carry."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "type", "unreachable"]) or "[]")
    return {
        IPv4Network(route["dst"]) for route in routes if route.get("metric") == names.route_metric
    }


def remove(names: Names, ranges: Iterable[IPv4Network]) -> None:
    """Take such routes away; those that are gone already are fine."""
    for network in ranges:
        succeeds(["ip", "route", "delete", *_route(names, network)])


def _route(names: Names, network: IPv4Network) -> list[str]:
    return ["unreachable", str(network), "metric", str(names.route_metric)]
