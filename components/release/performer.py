"""Who performs an update: for the journals of the servers and the history of releases.

The performer is in the outputs. An update that changes nothing keeps the one of the update before,
so that it has nothing to do, whoever runs it.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.core.project import ROOT
from components.settings.settings import Settings

# The program: what an environment is made from besides its settings and its application.
_SOURCES = (
    "__main__.py",
    "components/**/*.py",
    "host/*",
    "host/releasectl/*.py",
    "templates/*",
    "templates/own/*",
)
_NOT_IN_A_NAME = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, kw_only=True)
class Performer:
    by: str
    """Person and machine: ada@laptop."""
    digest: str
    """Hash of everything the update was made from."""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def of_update(settings: Settings, releases: Iterable[str], earlier: Any) -> Performer:
    """The performer of this update; of the last one, if nothing has changed since.

    Args:
        settings: of the environment.
        releases: ids of the releases to serve, one for each site.
        earlier: the output `updated` of the last successful update; None before the first.
    """
    now = digest(settings, " ".join(releases), sorted(_source_files()))
    last = earlier if isinstance(earlier, dict) else {}
    by = last.get("by") if last.get("digest") == now else None
    return Performer(by=by if isinstance(by, str) else current_performer(), digest=now)


def current_performer() -> str:
    """User and machine of whoever runs this program, or SLIPWAY_BY (for pipelines)."""
    said = os.environ.get("SLIPWAY_BY") or f"{_user()}@{socket.gethostname().split('.')[0]}"
    parts = [_NOT_IN_A_NAME.sub("-", part).strip("-") for part in said.split("@")]
    return "@".join(filter(None, parts))[:100] or "unknown"


def digest(settings: Settings, release: str, sources: Iterable[Path]) -> str:
    """Hash of settings, releases and program: the same on every machine. Reads the sources."""
    found = hashlib.sha256(f"{settings.model_dump_json()}\n{release}\n".encode())
    for path in sources:
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def _source_files() -> list[Path]:
    return [path for each in _SOURCES for path in ROOT.glob(each) if path.is_file()]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
