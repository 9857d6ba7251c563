"""The configuration of the cloud's Knot DNS: pure text, the same for the same zones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

USER = "knot"
"""The Debian package's user, whose rights it has after its start."""

WORKERS = 8
"""A name that is led on keeps a worker busy until its answer comes; own names shall not wait."""

FORWARD_MILLISECONDS = 1500
"""How long an answer of this computer's resolver may take. A client asks again after 5 s."""

SMALLEST_DATABASE = "5M"


@dataclass(frozen=True)
class KnotFolders:
    """Where it reads (what is ours) and writes (what is its user's)."""

    folder: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "knot.conf"

    @property
    def zones(self) -> Path:
        return self.folder / "zones"

    @property
    def own(self) -> Path:
        return self.folder / "run"

    @property
    def socket(self) -> Path:
        """Where knotc reaches it."""
        return self.own / "knot.sock"

    def zone(self, name: str) -> Path:
        return self.zones / f"{name}.zone"


def render(
    folders: KnotFolders,
    listen: tuple[str, int],
    upstreams: Sequence[IPv4Address],
    names: Iterable[str],
) -> str:
    """The whole file (knot.conf(5)).

    Args:
        listen: address and port, for UDP and TCP.
        upstreams: the resolvers that all other names are led to: the first of them (mod-dnsproxy
            knows one). Without any, other names are refused.
        names: of the zones.
    """
    address, port = listen
    lines = [
        "server:",
        f"    rundir: {folders.own}",
        f"    user: {USER}:{USER}",
        f"    listen: {address}@{port}",
        f"    udp-workers: {WORKERS}",
        f"    tcp-workers: {WORKERS}",
        "    background-workers: 1",
        '    version: ""',
        '    identity: ""',
        "control:",
        f"    listen: {folders.socket}",
        "database:",
        f"    storage: {folders.own}",
        *(
            f"    {database}-db-max-size: {SMALLEST_DATABASE}"
            for database in ("journal", "kasp", "timer", "catalog")
        ),
        "log:",
        "  - target: stdout",
        "    any: notice",
        *_proxy(upstreams),
        "template:",
        "  - id: default",
        f"    storage: {folders.zones}",
        '    file: "%s.zone"',
        # The zone files are written by us alone, each whole.
        "    zonefile-load: whole",
        "    zonefile-sync: -1",
        "    journal-content: none",
        *(["    global-module: mod-dnsproxy/others"] if upstreams else []),
        "zone:",
        *(f"  - domain: {name}" for name in sorted(names)),
    ]
    return "\n".join([*lines, ""])


def _proxy(upstreams: Sequence[IPv4Address]) -> list[str]:
    if not upstreams:
        return []
    return [
        "remote:",
        "  - id: resolver",
        f"    address: {upstreams[0]}",
        "mod-dnsproxy:",
        "  - id: others",
        "    remote: resolver",
        # Only for names of no zone of ours: that a name of ours does not exist is an answer.
        "    fallback: on",
        f"    timeout: {FORWARD_MILLISECONDS}",
    ]
