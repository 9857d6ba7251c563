"""The droplets as a table for a person, or as JSON for a program."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from local_cloud.cli.api import Api, address
from local_cloud.hosts import control_groups
from local_cloud.hosts.machine_process import MachineProcess
from local_cloud.hosts.names import Names

MEBIBYTE = 1024 * 1024


def droplets(state: Path) -> list[dict[str, Any]]:
    """What is to be known of each droplet; memory in MiB, uptime in seconds."""
    names = Names.of(state)
    found = []
    for droplet in Api(state).droplets():
        machine = names.machine(droplet["id"])
        process = MachineProcess(state / "machines" / str(droplet["id"]), machine, names.tag)
        used = control_groups.memory_bytes(machine)
        init = process.init
        found.append(
            {
                "id": droplet["id"],
                "name": droplet["name"],
                "status": droplet["status"],
                "public_address": address(droplet, "public"),
                "private_address": address(droplet, "private"),
                "tags": droplet["tags"],
                "memory_mib": None if init is None or used is None else used // MEBIBYTE,
                "memory_limit_mib": droplet["memory"],
                "uptime_seconds": None if init is None else round(time.time() - init.started),
            }
        )
    return found


def show(state: Path, *, as_json: bool) -> None:
    """Print them."""
    found = droplets(state)
    if as_json:
        print(json.dumps(found, indent=2))  # noqa: T201
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "name", "status", "public", "private", "tags", "memory", "up"):
        table.add_column(
            title,
            justify="right" if title in ("memory", "up") else "left",
            # On a narrow screen the tags give way: an address cut short is of no use.
            no_wrap=title != "tags",
            overflow="fold",
        )
    for one in found:
        used = one["memory_mib"]
        table.add_row(
            str(one["id"]),
            one["name"],
            one["status"],
            one["public_address"],
            one["private_address"],
            ", ".join(one["tags"]),
            f"{'-' if used is None else used} / {one['memory_limit_mib']} MiB",
            _duration(one["uptime_seconds"]),
        )
    # Into a file or pipe, lines are as long as they are.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table if found else "no droplets")


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
