"""Records of the sites' names in DigitalOcean's DNS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

#: Short, because a server that is made anew has another address.
TTL_SECONDS = 300


class Placed(Protocol):
    """A name, and where its record is (components/platform/dns.py)."""

    @property
    def name(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def record(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class NamesArgs:
    names: Sequence[Placed]
    addresses: Sequence[pulumi.Input[str]]
    """IPv4 addresses at which visitors are answered."""


class Names(pulumi.ComponentResource):
    """Each name leads to the addresses; `records` are complete once it does."""

    records: list[pulumi.CustomResource]

    def __init__(
        self, name: str, args: NamesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Names", name, None, opts)
        # Importing it takes half a second, so it happens only where it is used.
        import pulumi_digitalocean as digitalocean

        self.records = [
            digitalocean.DnsRecord(
                f"{each.name}-a" if number == 0 else f"{each.name}-a-{number + 1}",
                domain=each.domain,
                type="A",
                # Without it the provider would make one up.
                name=each.record,
                value=address,
                ttl=TTL_SECONDS,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for each in args.names
            for number, address in enumerate(args.addresses)
        ]
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class Leading:
    """What leads the names to the servers."""

    records: Sequence[pulumi.CustomResource] = ()
    """Those in DigitalOcean's DNS."""
    to_set: Sequence[pulumi.Output[str]] = ()
    """Those that have to be set by hand, one line each, where the DNS is somebody else's."""


def lead(
    placed: Sequence[Placed], names: Sequence[str], addresses: Sequence[pulumi.Output[str]]
) -> Leading:
    """Have the names lead to addresses.

    Args:
        placed: those that have a place in DigitalOcean's DNS: all of them, or none.
        names: of all sites.
        addresses: at which visitors are answered.
    """
    if placed:
        made = Names("names", NamesArgs(names=placed, addresses=addresses))
        return Leading(records=made.records)
    return Leading(
        to_set=[pulumi.Output.concat(name, " A ", each) for name in names for each in addresses]
    )
