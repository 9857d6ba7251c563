"""The ACME server: started where it does not run, and where it is to be found."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from local_cloud.cli.paths import cache_folder
from local_cloud.hosts import requirements
from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.machine import Progress
from local_cloud.services.acme import AcmeServer


def start(
    state: Path, report: Progress, name_server: str | None = None, port: int | None = None
) -> AcmeServer:
    """Start it where it does not run, as `AcmeServer.start` does."""
    requirements.ensure(report)
    server = AcmeServer(NspawnHypervisor(state, cache_folder()))
    server.start(report, name_server, port)
    return server


def show(state: Path, name_server: str | None, port: int | None, *, as_json: bool) -> None:
    """Start it, then print the addresses of its directory and the file with its roots."""

    def report(line: str) -> None:
        print(line, file=sys.stderr)  # noqa: T201

    server = start(state, report, name_server, port)
    told = {
        "directory": server.directory(),
        "directory_for_hosts": server.directory(server.gateway),
        "directory_here": server.directory("127.0.0.1"),
        "roots": str(server.roots),
        "management": server.management,
    }
    if as_json:
        print(json.dumps(told, indent=2))  # noqa: T201
        return
    for name, value in told.items():
        print(f"{name.replace('_', ' ')}: {value}")  # noqa: T201
