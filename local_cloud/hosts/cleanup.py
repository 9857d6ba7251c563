"""Removes everything that a cloud created on this computer, whatever state it is in.

It needs no records and no running process: things are found by their names, and processes by an
environment variable.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from local_cloud.hosts import control_groups, firewall, kernel, netns, unreachable
from local_cloud.hosts.names import Names
from local_cloud.hosts.package_cache import PackageCache
from local_cloud.hosts.process import owned_by

FOLDERS = (
    "acme",
    "authority",
    "forwards",
    "load_balancers",
    "machines",
    "name_server",
    "snapshots",
)
FILES = ("firewall.lock", "guards.json", "public-network", "reserved.json", "services.json")
END_SECONDS = 5.0


def remove_cloud(state: Path, cache: Path) -> None:
    """Remove processes, mounts, network, firewall and disks of the cloud of a state folder."""
    names = Names.of(state)
    end_processes(names)
    remove_network(names, cache)
    for name in FOLDERS:
        shutil.rmtree(state / name, ignore_errors=True)
    for name in FILES:
        (state / name).unlink(missing_ok=True)


def end_processes(names: Names) -> None:
    """Kill every process of a cloud but the one that serves it."""
    processes = owned_by(names.tag)
    for process in processes:
        process.signal(signal.SIGKILL)
    for process in processes:
        process.wait(END_SECONDS)


def remove_network(names: Names, cache: Path) -> None:
    """Remove network, control groups and firewall of a cloud without running processes."""
    namespaces, cards = netns.leftovers(names)
    netns.disconnect_all(namespaces, cards)
    unreachable.remove(names, unreachable.found(names))
    for group in control_groups.all_named(names.machine_prefix):
        control_groups.remove(group)
    for socket in kernel.SHARED.glob(f"{names.machine_prefix}*.sock"):
        socket.unlink(missing_ok=True)
    shutil.rmtree(kernel.SHARED / f"{names.machine_prefix}name-server", ignore_errors=True)
    firewall.remove(names)
    PackageCache(cache).leave(names.tag)
    kernel.restore(names)
