"""What of a project is its own: an upgrade neither changes it nor adds to it; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

#: The folder of a project's own templates.
TEMPLATES = "templates/own"
_OWN = re.compile(rf"app/.*|{TEMPLATES}/.*|Pulumi\.[^/]+\.yaml")


def is_own(path: str) -> bool:
    """Its application, its environments, and its own templates."""
    return bool(_OWN.fullmatch(path))


def left_out(base: Iterable[str], target: Iterable[str], deleted: Iterable[str]) -> set[str]:
    """The files of two versions that the merge does not see.

    Args:
        base: files of the version that the project is from.
        target: files of the one to upgrade to.
        deleted: files of the base that the project has no more. They stay away, and so does what
            is new in a folder of which the project has deleted everything.
    """
    gone = set(deleted)
    were = {path for path in base if not is_own(path)}
    folders_gone = _folders(were) - _folders(were - gone)
    return {
        path
        for path in {*base, *target}
        if is_own(path) or path in gone or _folders([path]) & folders_gone
    }


def _folders(paths: Iterable[str]) -> set[str]:
    return {str(folder) for path in paths for folder in PurePosixPath(path).parents}
