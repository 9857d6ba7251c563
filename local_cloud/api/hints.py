"""Hints to the local cloud that ride on droplet tags; at DigitalOcean they are harmless labels.

local:forward:<loopback port>:<port>   127.0.0.1:<loopback port> leads to the droplet's <port>
local:address:<n>                      the n-th address of the VPC as private address, if free
local:balancer:<loopback port>[:<port>] 127.0.0.1:<loopback port> leads to the load balancer that
                                       serves the droplet, at that entry port, or at the one of its
                                       first rule without TLS, or else its first; until there is
                                       one with a rule for it, to where a forward of that loopback
                                       port says.
                                       Droplets behind the same load balancer carry the same one,
                                       as it has no tags itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PREFIX = "local:"
FORWARD = re.compile(r"local:forward:([0-9]{1,5}):([0-9]{1,5})")
ADDRESS = re.compile(r"local:address:([0-9]{1,5})")
BALANCER = re.compile(r"local:balancer:([0-9]{1,5})(?::([0-9]{1,5}))?")
HIGHEST_PORT = 65535
FORMS = (
    "local:forward:<loopback port>:<port>, local:balancer:<loopback port>[:<port>] (ports from 1 "
    "to 65535) or local:address:<n>"
)


class HintError(ValueError):
    """A tag begins like a hint and is none; the message says what is allowed."""


@dataclass(frozen=True)
class ForwardHint:
    loopback_port: int
    port: int
    tag: str


@dataclass(frozen=True)
class BalancerHint:
    loopback_port: int
    entry_port: int | None
    """None for whichever suits plain visitors best."""


def check(tag: str) -> None:
    """Raise HintError for a tag that would be ignored although it was meant for this cloud."""
    if not tag.startswith(PREFIX):
        return
    if not (ADDRESS.fullmatch(tag) or _forward(tag) or _balancer(tag)):
        raise HintError(f"the tag {tag!r} is not a hint of the local cloud; it takes {FORMS}")


def forwards(tags: Iterable[str]) -> Iterator[ForwardHint]:
    return (hint for tag in tags if (hint := _forward(tag)))


def balancers(tags: Iterable[str]) -> Iterator[BalancerHint]:
    """The loopback ports that are to lead to the load balancer in front."""
    return (hint for tag in tags if (hint := _balancer(tag)))


def wished_address(tags: Iterable[str]) -> int | None:
    """Which address of the VPC's range is wished for; None where no tag says so."""
    return next((int(match[1]) for tag in tags if (match := ADDRESS.fullmatch(tag))), None)


def _forward(tag: str) -> ForwardHint | None:
    match = FORWARD.fullmatch(tag)
    if not match:
        return None
    loopback_port, port = int(match[1]), int(match[2])
    if not (1 <= loopback_port <= HIGHEST_PORT and 1 <= port <= HIGHEST_PORT):
        return None
    return ForwardHint(loopback_port, port, tag)


def _balancer(tag: str) -> BalancerHint | None:
    match = BALANCER.fullmatch(tag)
    if not match or not all(1 <= int(port) <= HIGHEST_PORT for port in match.groups() if port):
        return None
    return BalancerHint(int(match[1]), int(match[2]) if match[2] else None)
