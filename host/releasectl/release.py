"""A release and the files of an instance."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .files import write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Release:
    """A release on this server. It is complete if it is `ready`; otherwise it does not exist."""

    def __init__(self, releases: Path, release: str) -> None:
        self.id = release
        # A str: there may be hundreds of releases, and creating a Path takes longer than a stat.
        self._folder = f"{releases}/{release}"

    @property
    def path(self) -> Path:
        return Path(self._folder)

    @property
    def marks(self) -> Path:
        return Path(self._folder, ".slipway")

    @property
    def ready(self) -> bool:
        return os.path.exists(f"{self._folder}/.slipway/READY")  # noqa: PTH110

    @property
    def venv(self) -> str | None:
        """The name of its virtual environment."""
        try:
            return os.readlink(f"{self._folder}/.venv").rpartition("/")[2]  # noqa: PTH115
        except OSError:
            return None

    def mark(self, name: str) -> dict[str, Any] | None:
        try:
            with open(f"{self._folder}/.slipway/{name}", encoding="utf-8") as file:  # noqa: PTH123
                found = json.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def set_mark(self, name: str, **content: Any) -> None:
        write_file(self.marks / name, json.dumps(content) + "\n")

    def clear_bad(self, *what: str) -> None:
        """Remove the mark BAD if it was set by one of these commands, which has succeeded now."""
        bad = self.mark("BAD")
        if bad is not None and bad.get("what") in what:
            (self.marks / "BAD").unlink()


class InstanceFile:
    """One of the files that an instance is made from. It may contain secrets."""

    def __init__(self, path: Path, content: bytes, mode: int = 0o644) -> None:
        self.path, self.content, self.mode = path, content, mode

    @classmethod
    def read(cls, path: Path) -> InstanceFile:
        with path.open("rb") as file:
            return cls(path, file.read(), os.fstat(file.fileno()).st_mode & 0o777)

    def is_in(self, folder: Path) -> bool:
        try:
            return (folder / self.path.name).read_bytes() == self.content
        except FileNotFoundError:
            return False

    def copy_to(self, folder: Path) -> None:
        # Created with its final mode, so that nobody else can read it at any moment.
        made = os.open(folder / self.path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
        with os.fdopen(made, "wb") as file:
            file.write(self.content)
            os.fsync(file.fileno())
