"""Who changes an environment: for the journals of its servers and the history of its releases.

Whoever runs an update that changes nothing has changed nothing: the name in the last outputs stays,
so that such an update finds nothing to do, whoever runs it.
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

# What an environment is made from besides its settings and its application.
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
class Updater:
    by: str
    """Person and machine: ada@laptop."""
    wanted: str
    """A digest of all that they wanted."""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def decide(settings: Settings, releases: Iterable[str], earlier: Any) -> Updater:
    """Whoever runs this update, or the one before where this one wants the same.

    Args:
        settings: of the environment.
        releases: ids of those that are to serve, one for each site.
        earlier: the output `updated` of the last good update; None before the first.
    """
    wanted = digest(settings, " ".join(releases), sorted(_source_files()))
    known = earlier if isinstance(earlier, dict) else {}
    by = known.get("by") if known.get("wanted") == wanted else None
    return Updater(by=by if isinstance(by, str) else present(), wanted=wanted)


def present() -> str:
    """Who runs this program, and where; SLIPWAY_BY says it where the user is not the person."""
    said = os.environ.get("SLIPWAY_BY") or f"{_user()}@{socket.gethostname().split('.')[0]}"
    parts = [_NOT_IN_A_NAME.sub("-", part).strip("-") for part in said.split("@")]
    return "@".join(filter(None, parts))[:100] or "unknown"


def digest(settings: Settings, release: str, sources: Iterable[Path]) -> str:
    """Of settings, release and program: the same on every machine; pure but for the reading."""
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
