"""Droplets, load balancers and the name server as text for a person; JSON for a program."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_cloud.cli.api import Api, address
from local_cloud.cli.paths import cache_folder
from local_cloud.hosts import control_groups
from local_cloud.hosts.host_settings import LOOPBACK, NameServerPort
from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.hosts.load_balancers import LoadBalancers
from local_cloud.hosts.machine_process import MachineProcess
from local_cloud.hosts.names import Names
from local_cloud.services.acme import AcmeServer
from local_cloud.services.service_names import DOMAIN
from local_cloud.services.soa_question import served_serial

if TYPE_CHECKING:
    from rich.table import Table

MEBIBYTE = 1024 * 1024


def droplets(state: Path) -> list[dict[str, Any]]:
    """The state of each droplet; memory in MiB, uptime in seconds."""
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


def load_balancers(state: Path) -> list[dict[str, Any]]:
    """The state of each load balancer, with HAProxy's view of each droplet behind it."""
    load_balancers = LoadBalancers(state, Names.of(state))
    found = []
    for one in Api(state).load_balancers():
        process = load_balancers.at(one["ip"]) if one["ip"] else None
        health = process.health() if process is not None else {}
        found.append(
            {
                "id": one["id"],
                "name": one["name"],
                "status": one["status"],
                "address": one["ip"],
                "droplets": {
                    str(droplet): health.get(droplet, "unknown") for droplet in one["droplet_ids"]
                },
            }
        )
    return found


def show(state: Path, *, as_json: bool, only_load_balancers: bool = False) -> None:
    """Print them; as JSON, the droplets, or else the load balancers."""
    if as_json:
        told = load_balancers(state) if only_load_balancers else droplets(state)
        print(json.dumps(told, indent=2))  # noqa: T201
        return
    from rich.console import Console

    # Into a file or pipe, lines are as long as they are.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    in_front = load_balancers(state)
    if not only_load_balancers:
        found = droplets(state)
        console.print(_table_of_droplets(found) if found else "no droplets")
        console.print(_name_server(state))
        if acme := _acme_server(state):
            console.print(acme)
        if in_front:
            console.print()
    if in_front:
        console.print(_table_of_balancers(in_front, Api(state).droplets()))
    elif only_load_balancers:
        console.print("no load balancers")


def _name_server(state: Path) -> str:
    port = NameServerPort(state).read()
    if port is None:
        return "no name server: domains are refused"
    where = f"{LOOPBACK} port {port}"
    if served_serial(LOOPBACK, port, DOMAIN) is None:
        return f"name server: {where} does not answer; stop and start bring it back"
    return f"name server: {where}, UDP and TCP"


def _acme_server(state: Path) -> str:
    """Empty where nobody has asked for one."""
    server = AcmeServer(NspawnHypervisor(state, cache_folder()))
    if not server.is_wanted:
        return ""
    if server.process is None:
        return "ACME server: it does not run; `python -m local_cloud acme` brings it back"
    return f"ACME server: {server.directory()} (its roots: {server.roots})"


def _table_of_droplets(found: list[dict[str, Any]]) -> Table:
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
    return table


def _table_of_balancers(found: list[dict[str, Any]], behind: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    names = {str(droplet["id"]): droplet["name"] for droplet in behind}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("load balancer", "status", "address", "droplets"):
        table.add_column(title, no_wrap=title != "droplets", overflow="fold")
    for one in found:
        health = (
            f"{names.get(droplet, droplet)} {status.lower()}"
            for droplet, status in one["droplets"].items()
        )
        table.add_row(one["name"], one["status"], one["address"] or "-", ", ".join(health) or "-")
    return table


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
