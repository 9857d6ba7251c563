"""Settings that machines inherit from this computer: its name servers and its package index."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from local_cloud.hosts.models import write_atomically
from local_cloud.hosts.netns import name_servers

LOOPBACK = "127.0.0.1"

INDEX_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "timeout")
"""Settings of pip that are also valid inside a machine; others may refer to local files."""


@dataclass(frozen=True)
class NameServerPort:
    """Where the cloud's own name server listens on loopback: kept, so that it stays the same."""

    state: Path

    @property
    def folder(self) -> Path:
        return self.state / "name_server"

    def read(self) -> int | None:
        """None while the cloud has no name server."""
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return None

    def write(self, port: int) -> None:
        write_atomically(self.folder / "port", f"{port}\n")


@dataclass(frozen=True)
class Resolver:
    """The name servers and the search domain."""

    servers: tuple[IPv4Address, ...]
    search: str


def resolver(etc: Path = Path("/etc"), run: Path = Path("/run")) -> Resolver:
    """This computer's name servers; behind the stub of systemd-resolved, the real ones."""
    behind_the_stub = run / "systemd/resolve/resolv.conf"
    text = _read(etc / "resolv.conf")
    if name_servers(text) == (IPv4Address("127.0.0.53"),) and behind_the_stub.exists():
        text = _read(behind_the_stub)
    search = [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith("search ")]
    return Resolver(name_servers(text), search[-1].strip() if search else "")


@cache
def pip_settings() -> dict[str, str]:
    """The package index of this computer's pip: from its files, then from its environment."""
    found: dict[str, str] = {}
    home = Path.home()
    for path in (
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf",
        Path(os.environ.get("PIP_CONFIG_FILE") or os.devnull),
    ):
        parser = configparser.RawConfigParser()
        parser.read_string(_read(path) or "[global]\n")
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {n: v for n, v in parser.items(section) if n in INDEX_SETTINGS}
    for name in INDEX_SETTINGS:
        value = os.environ.get(f"PIP_{name.upper().replace('-', '_')}")
        if value:
            found[name] = value
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
