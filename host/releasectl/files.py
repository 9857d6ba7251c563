"""Atomic replacement of files and links, and ownership of whole trees."""

from __future__ import annotations

import os
from pathlib import Path

from .console import ReleaseError


def write_file(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def write_if_changed(path: Path, text: str) -> bool:
    """Write unless the file has that content already; return whether it was written."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return False
    except FileNotFoundError:
        pass
    write_file(path, text)
    return True


def make_link(path: Path, target: str) -> None:
    """Point the symlink `path` at `target` atomically: it exists at every moment."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target)
    aside.replace(path)


def remove_tree(path: Path) -> None:
    import shutil

    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def chown_tree(folder: Path, user: int | None, group: int | None) -> None:
    """Make a user the owner of everything in the folder; without a user (not root) do nothing.

    Bottom-up, so that the folders above are still owned by root while their content changes owner.
    """
    if user is None or group is None:
        return
    for where, folders, files in os.walk(folder, topdown=False):
        for name in [*folders, *files, "."]:
            os.chown(Path(where, name), user, group, follow_symlinks=False)


def reclaim_tree(folder: Path) -> None:
    """Take ownership of everything in the folder, mode 0644 or 0755; refuse links that lead out.

    By file descriptor: a process of the previous owner may still be renaming things in there.
    """
    import stat

    us = os.geteuid(), os.getegid()
    for where, folders, files, inside in os.fwalk(folder):
        os.fchown(inside, *us)
        os.fchmod(inside, 0o755)
        for name in [*folders, *files]:
            mode = os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode
            path = Path(where, name)
            if stat.S_ISDIR(mode):
                continue
            if stat.S_ISLNK(mode):
                within = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
                if os.readlink(name, dir_fd=inside).startswith("/") or not within:
                    raise ReleaseError(
                        f"the build command made a symlink that leads out of the release:"
                        f" {path.relative_to(folder)}"
                    )
                os.chown(name, *us, dir_fd=inside, follow_symlinks=False)
                continue
            if not stat.S_ISREG(mode):
                raise ReleaseError(
                    f"the build command made something that is not a file, folder or symlink:"
                    f" {path.relative_to(folder)}"
                )
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            file = os.open(name, flags, dir_fd=inside)
            try:
                os.fchown(file, *us)
                os.fchmod(file, 0o755 if mode & 0o100 else 0o644)
            finally:
                os.close(file)
