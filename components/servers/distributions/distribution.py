"""What differs between the systems a server can run: names, paths and queries; pure.

There is a file for each family (debian.py, rhel.py), and registry.py finds the right one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["web", "db"]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One system, with its names for what every server has."""

    label: str
    """For people: Debian 12."""
    family: Literal["debian", "rhel"]
    packages: Mapping[Role, tuple[str, ...]]
    """By the server's role, with those that every server gets."""
    installer: str
    """The template of the script that installs packages."""
    python: str = "python3"
    """The interpreter of releases and of releasectl, 3.10 or newer."""
    nginx_version: tuple[int, int]
    """At least this one: what it can be told differs."""
    web_user: str
    """Who nginx runs as."""
    site: str
    """The file of nginx's site; {app} stands for the application's name."""
    enable_site: str = ""
    """Shell, up to its `&&`, that makes nginx read it where it does not by itself."""
    disable_site: str = ""
    """Shell that takes that back."""
    ssh_unit: str
    installed: Sequence[str]
    """The command that prints `ii <name>` for each of the packages behind it that is installed."""
    postgresql_version: str = ""
    """The major one; empty where it is not known."""
    postgresql_folder: str
    """Where postgresql.conf and pg_hba.conf are."""
    postgresql_program: str
    pg_isready: str
    notices_lost_clients: bool = True
    """Whether its PostgreSQL is 14 or newer, which can look after the clients of statements."""
    updates_unit: str
    """What installs security updates by itself."""
    updates_file: str
    """Settings of the daily security updates; its template has the file's own name."""
    updates_template: str
    updates_check: str = ""
    post_install: Mapping[Role, tuple[str, ...]]
    """By the server's role: shell commands that set up what Debian's packages set up by themselves.
    Safe to repeat."""

    @property
    def facts(self) -> dict[str, Any]:
        """What host/survey.py needs to know, kept in the state."""
        return {
            "installed": list(self.installed),
            "pg_isready": self.pg_isready,
            "postgresql": self.postgresql_version,
            "site": self.site,
        }
