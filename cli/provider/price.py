"""What an environment costs a month at DigitalOcean, by the sizes it uses; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: A load balancer of one node (docs.digitalocean.com/products/networking/load-balancers, 2026).
LOAD_BALANCER_DOLLARS = 12.0
#: Weekly backups, as a part of the droplet's price (docs.digitalocean.com/products/backups, 2026).
BACKUPS_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the bill."""

    what: str
    count: int
    dollars_each: float

    @property
    def dollars(self) -> float:
        return self.count * self.dollars_each


def items(settings: Mapping[str, Any], monthly: Mapping[str, float]) -> list[Item]:
    """The bill of an environment.

    Args:
        settings: all of its settings by name.
        monthly: dollars a month of each size of droplet, by its slug.

    Raises:
        KeyError: a size that is not in the list.
    """
    found = [
        Item(
            what=f"web server {settings['webSize']}",
            count=settings["webCount"],
            dollars_each=monthly[settings["webSize"]],
        ),
        Item(
            what=f"database server {settings['dbSize']}",
            count=1,
            dollars_each=monthly[settings["dbSize"]],
        ),
    ]
    if settings["backups"]:
        servers = sum(each.dollars for each in found)
        found.append(Item(what="weekly backups", count=1, dollars_each=servers * BACKUPS_SHARE))
    if settings["loadBalancer"] or settings["webCount"] > 1:
        found.append(Item(what="load balancer", count=1, dollars_each=LOAD_BALANCER_DOLLARS))
    return found


def estimate(bill: list[Item]) -> str:
    """The bill for a person."""
    lines = [f"  {each.count} x {each.what:32} {each.dollars:8.2f} USD a month" for each in bill]
    total = sum(each.dollars for each in bill)
    return "\n".join(
        [*lines, f"  {'together, without traffic beyond what is free':36} {total:8.2f}"]
    )
