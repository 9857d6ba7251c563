"""Other local clouds of this computer, living and dead.

A cloud whose processes were all killed, with its whole container or session, leaves cards and
routes behind. Its own next start would use them again; until then they are in nobody's way.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from local_cloud.hosts import wiring
from local_cloud.hosts.names import Names
from local_cloud.hosts.process import owned_by
from local_cloud.hosts.take_away import leave_computer
from local_cloud.hosts.wiring import Collision


def collision(network: IPv4Network, names: Names, cache: Path) -> Collision | None:
    """What uses a part of the network already; what a dead cloud left there is taken away first."""
    taken_away: set[Names] = set()
    while (used := wiring.collision(network, names)) is not None:
        if used.cloud is None or used.cloud in taken_away or owned_by(used.cloud.tag):
            return used
        leave_computer(used.cloud, cache)
        taken_away.add(used.cloud)
    return None
