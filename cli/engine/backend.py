"""Where the engine keeps its states: PULUMI_BACKEND_URL."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

from cli.paths import home

_SCHEME = "file://"


def folder() -> Path | None:
    """The folder of the file backend; None for another backend."""
    url = os.environ.get("PULUMI_BACKEND_URL", "")
    if not url.startswith(_SCHEME):
        return None
    path, _, _ = url.removeprefix(_SCHEME).partition("?")
    return Path(unquote(path)).expanduser()


def is_our_own() -> bool:
    """Whether the states are in this clone's own folder, and not where a team keeps them."""
    return folder() == home()


def state_file(stack: str) -> Path | None:
    """The state of a stack in this clone's own folder; None where there is none."""
    if not is_our_own():
        return None
    # The one project that this backend's folder is for.
    return next((home() / ".pulumi" / "stacks").glob(f"*/{stack}.json"), None)
