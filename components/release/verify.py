"""Verification of archives: does an archive contain the release that its name says?

Standard library only, because scripts use it without importing the program's packages.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

ID_LENGTH = 12


class ArchiveError(Exception):
    """The archive is broken or contains something else."""


def identify(archive: Path) -> str:
    """The id of the release in an archive: the same as `artifact.identify` gives for its folder.

    Raises:
        ArchiveError: it is not an archive of a release, or it is truncated.
        OSError: it cannot be read.
    """
    lines: dict[bytes, bytes] = {}
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                if member.isdir():
                    continue
                mode, content = _mode_and_content(tar, member)
                line = f"{mode} {content} {member.name}\0".encode()
                lines[member.name.encode()] = line
    except (tarfile.TarError, EOFError, zlib.error, UnicodeError) as error:
        raise ArchiveError(f"broken archive ({error})") from None
    tree = hashlib.sha256(b"".join(lines[name] for name in sorted(lines)))
    return tree.hexdigest()[:ID_LENGTH]


def _mode_and_content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, str]:
    if member.issym():
        return "link", hashlib.sha256(member.linkname.encode()).hexdigest()
    source = tar.extractfile(member)
    if source is None:
        raise ArchiveError(f"{member.name} in it is neither file, folder nor symlink")
    digest = hashlib.sha256()
    while chunk := source.read(1 << 20):
        digest.update(chunk)
    return ("755" if member.mode & 0o100 else "644"), digest.hexdigest()


def verify(release: str, archive: Path) -> None:
    """Raise ArchiveError unless the archive contains this release."""
    found = identify(archive)
    if found != release:
        raise ArchiveError(f"it contains release {found}, not {release}")


def receive(release: str, destination: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let `write` write an archive, verify it, and move it to `destination`.

    Whatever happens, `destination` is never an incomplete archive.

    Raises:
        ArchiveError: what was written is not an archive of `release`.
        OSError: it cannot be written.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    # `artifact.pack` removes files of this name that a killed run has left.
    descriptor, aside = tempfile.mkstemp(prefix=".", suffix=".partial", dir=destination.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
        verify(release, Path(aside))
        Path(aside).rename(destination)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
