"""Which addresses droplets, load balancers and VPCs get: given what is taken, a choice."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

FIRST_GIVEN = 10
"""Of the addresses below, .1 is the gateway's; the others are given last."""

PRIVATE = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
LARGEST_VPC, SMALLEST_VPC = 16, 28
"""Prefix lengths a VPC may have, as at DigitalOcean."""

DEFAULT_RANGES = IPv4Network("10.128.0.0/9")
"""VPCs made without a range get a /20 of this half, away from the hosts' public networks."""


class NoAddressLeftError(Exception):
    """Every address of the network is taken."""


class RangeError(ValueError):
    """A text is no range that a VPC could have; the message says what is allowed."""


def choose_address(
    network: IPv4Network, taken: Collection[IPv4Address], wished: int | None = None
) -> IPv4Address:
    """The `wished`-th address if it is free, else the next free one, else any."""
    for number in _in_order(network, wished or FIRST_GIVEN):
        address = network.network_address + number
        if address not in taken:
            return address
    raise NoAddressLeftError(f"all addresses of {network} are taken")


def choose_last_address(network: IPv4Network, taken: Collection[IPv4Address]) -> IPv4Address:
    """The last free address: for what should not stand in the way of the droplets' numbers."""
    for number in range(network.num_addresses - 2, 1, -1):
        address = network.network_address + number
        if address not in taken:
            return address
    raise NoAddressLeftError(f"all addresses of {network} are taken")


def taken_addresses(db: sqlite3.Connection) -> set[IPv4Address]:
    """Every address, public or private, that a droplet or load balancer has or may get."""
    rows = db.execute(
        "SELECT public_address, private_address FROM droplets "
        "UNION ALL SELECT public_address, private_address FROM load_balancers "
        "UNION ALL SELECT ip, ip FROM reserved_ips"
    )
    return {IPv4Address(address) for row in rows for address in row}


def _in_order(network: IPv4Network, first: int) -> Iterator[int]:
    last = network.num_addresses - 2
    yield from range(max(first, 2), last + 1)
    yield from range(FIRST_GIVEN, min(first, last + 1))
    yield from range(2, min(FIRST_GIVEN, last + 1))


def is_assignable(network: IPv4Network, number: int) -> bool:
    """Whether the `number`-th address is neither the network's, the gateway's nor the broadcast."""
    return 2 <= number <= network.num_addresses - 2


def read_vpc_range(text: str) -> IPv4Network:
    """The range written as `text`, such as `192.168.100.0/24`; RangeError if no VPC can have it."""
    try:
        network = IPv4Network(text)
    except ValueError:
        raise RangeError(f"{text!r} is not an IPv4 range; {_allowed(text)}") from None
    if not LARGEST_VPC <= network.prefixlen <= SMALLEST_VPC:
        raise RangeError(f"{text} has the wrong size; {_allowed(text)}")
    if not any(network.subnet_of(private) for private in PRIVATE):
        raise RangeError(f"{text} is not a private range; {_allowed(text)}")
    return network


def _allowed(text: str) -> str:
    allowed = f"allowed are ranges from /{LARGEST_VPC} to /{SMALLEST_VPC} within " + ", ".join(
        str(network) for network in PRIVATE
    )
    try:
        nearest = IPv4Network(text, strict=False)
    except ValueError:
        return allowed
    return allowed if str(nearest) == text else f"{allowed} (did you mean {nearest}?)"


def first_overlap(network: IPv4Network, others: Iterable[IPv4Network]) -> IPv4Network | None:
    return next((other for other in others if network.overlaps(other)), None)


def candidate_ranges(taken: Collection[IPv4Network]) -> Iterator[IPv4Network]:
    """Ranges for a VPC made without one, none of them overlapping what is taken."""
    for network in DEFAULT_RANGES.subnets(new_prefix=20):
        if not first_overlap(network, taken):
            yield network
