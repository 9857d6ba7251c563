"""Hints to the local cloud that ride on droplet tags; at DigitalOcean they are harmless labels.

local:forward:<loopback port>:<port>   127.0.0.1:<loopback port> leads to the droplet's <port>
local:address:<n>                      the n-th address of the VPC as private address, if free
local:balancer:<loopback port>         127.0.0.1:<loopback port> leads to the load balancer that
                                       serves the droplet, at the entry port of its first rule;
                                       until there is one, to where a forward of that port says.
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
BALANCER = re.compile(r"local:balancer:([0-9]{1,5})")
HIGHEST_PORT = 65535
FORMS = (
    "local:forward:<loopback port>:<port>, local:balancer:<loopback port> (ports from 1 to 65535) "
    "or local:address:<n>"
)


class HintError(ValueError):
    """A tag begins like a hint and is none; the message says what is allowed."""


@dataclass(frozen=True)
class ForwardHint:
    loopback_port: int
    port: int
    tag: str


def check(tag: str) -> None:
    """Raise HintError for a tag that would be ignored although it was meant for this cloud."""
    if not tag.startswith(PREFIX):
        return
    if not (ADDRESS.fullmatch(tag) or _forward(tag) or _balancer_port(tag)):
        raise HintError(f"the tag {tag!r} is not a hint of the local cloud; it takes {FORMS}")


def forwards(tags: Iterable[str]) -> Iterator[ForwardHint]:
    return (hint for tag in tags if (hint := _forward(tag)))


def balancer_ports(tags: Iterable[str]) -> Iterator[int]:
    """The loopback ports that are to lead to the load balancer in front."""
    return (port for tag in tags if (port := _balancer_port(tag)))


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


def _balancer_port(tag: str) -> int | None:
    match = BALANCER.fullmatch(tag)
    return int(match[1]) if match and 1 <= int(match[1]) <= HIGHEST_PORT else None
