"""A state folder that was moved, with the clone that it is in.

Names of processes, networks and mounts come from the folder's path. What runs under the old ones
ends, as with a restart of this computer; the droplets' disks moved along, and boot again.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from local_cloud.cli.paths import cache_folder
from local_cloud.hosts.cleanup import end_processes, remove_network
from local_cloud.hosts.names import Names
from local_cloud.hosts.process import Process

NOTE = "folder"
"""Where a state folder says what its path is."""
STOP_SECONDS = 5.0


def note(state: Path) -> None:
    """Write down where it is."""
    (state / NOTE).write_text(f"{state.resolve()}\n")


def clear_old_place(state: Path, server: Process | None) -> bool:
    """End what ran at the old place, if this folder was moved from there; whether it was.

    Args:
        state: the folder where it is now.
        server: the process that serves it.
    """
    try:
        before = Path((state / NOTE).read_text().removesuffix("\n"))
    except OSError:
        return False
    # One that is still there is the original, and this one a copy of it.
    if before == state.resolve() or before.exists():
        return False
    if server is not None:
        server.signal(signal.SIGTERM)
        if not server.wait(STOP_SECONDS):
            server.kill()
    names = Names.of(before)
    end_processes(names)
    remove_network(names, cache_folder())
    _rename_layers(state, before)
    note(state)
    return True


def _rename_layers(state: Path, before: Path) -> None:
    """A disk made from a snapshot names the folder of that."""
    for pattern in ("machines/*/machine.json", "snapshots/*/layers"):
        for path in state.glob(pattern):
            old, new = (json.dumps(f"{each}/")[:-1] for each in (before, state.resolve()))
            path.write_text(path.read_text().replace(old, new))
