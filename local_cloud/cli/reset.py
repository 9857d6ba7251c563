"""Removes a whole cloud, whatever state it is in."""

from __future__ import annotations

import shutil
from pathlib import Path

from local_cloud.cli.paths import cache_folder
from local_cloud.cli.server import Server

OUR_FILES = (
    "cloud.db*",
    "cloud.log*",
    "folder",
    "lock",
    "machines",
    "port",
    "server.json",
    "start.log",
    "token*",
)
"""All that a cloud writes beside what `remove_cloud` removes; a file of somebody else's stays."""


def reset(state: Path) -> int:
    """Destroy every droplet and all traces of the cloud; return how many droplets there were."""
    from local_cloud.hosts.cleanup import remove_cloud

    Server(state).stop()
    count = len(list((state / "machines").glob("*/machine.json")))
    remove_cloud(state, cache_folder())
    for pattern in OUR_FILES:
        for path in state.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    if state.is_dir() and not any(state.iterdir()):
        state.rmdir()
    return count
