"""The source of a release: a folder, and files that are added to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.core.errors import SlipwayError
from components.release import artifact, dependencies, package


@dataclass(frozen=True, kw_only=True)
class Source:
    """A folder that `artifact` can pack."""

    folder: Path
    added: Mapping[str, bytes]
    """Contents by name: requirements.txt exported from a lock, and the recipe if there is one."""
    installed: bool
    """Whether it is a package that is installed into the virtual environment."""

    @classmethod
    def of(cls, path: Path, *, kind: str, build_command: str, packages: Path) -> Source:
        """The source of an application.

        Args:
            path: its folder, or a package file.
            kind: `folder`, or `sdist` for a package that is built from the folder or given.
            build_command: run on each server after unpacking; empty for none.
            packages: folder for unpacked packages.

        Raises:
            SlipwayError: as `dependencies` and `package` do.
        """
        recipe = {"build": build_command} if build_command else {}
        if kind == "folder":
            if path.is_file():
                raise SlipwayError(
                    f"slipway:appFolder is {path}, a file: must be a folder, or a package where"
                    " slipway:appSource is sdist"
                )
            made = dependencies.of_folder(path)
            added = {} if made is None else {artifact.REQUIREMENTS: made}
            folder = path
        else:
            folder = package.unpacked(path, packages)
            recipe["install"] = path.name if path.suffix == ".whl" else "sdist"
            project = path if path.is_dir() else folder
            added = {artifact.REQUIREMENTS: dependencies.of_package(project)}
        if recipe:
            added[artifact.RECIPE] = (json.dumps(recipe, sort_keys=True) + "\n").encode()
        return cls(folder=folder, added=added, installed=kind == "sdist")

    def pack(self, destination: Path) -> artifact.Artifact:
        return artifact.pack(self.folder, destination, self.added)

    def identify(self) -> str:
        """The id that `pack` would give."""
        return artifact.identify(self.folder, self.added)
