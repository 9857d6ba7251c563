"""Other local clouds on this computer, running or dead.

A cloud whose processes were all killed, with its container or session, leaves interfaces and routes
behind. They are removed when another cloud needs the network.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from local_cloud.hosts import netns
from local_cloud.hosts.cleanup import remove_network
from local_cloud.hosts.names import Names
from local_cloud.hosts.netns import Collision
from local_cloud.hosts.process import owned_by


def collision(network: IPv4Network, names: Names, cache: Path) -> Collision | None:
    """What already uses a part of the network, after what dead clouds left there was removed."""
    removed: set[Names] = set()
    while (used := netns.collision(network, names)) is not None:
        if used.cloud is None or used.cloud in removed or owned_by(used.cloud.tag):
            return used
        remove_network(used.cloud, cache)
        removed.add(used.cloud)
    return None
