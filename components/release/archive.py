"""An archive that came from elsewhere: whether it holds what its name says, before it is kept.

Only the standard library, for it is also needed where the program's packages are not yet loaded.
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
    """The archive is broken, or holds something else."""


def identify(archive: Path) -> str:
    """The id of the release in a packed archive, as `artifact.identify` says it of the folder.

    Raises:
        ArchiveError: it is no archive of a release, or not a whole one.
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
        raise ArchiveError(f"a broken archive ({error})") from None
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


def require(release: str, archive: Path) -> None:
    """Raises ArchiveError unless the archive holds that very release."""
    found = identify(archive)
    if found != release:
        raise ArchiveError(f"it holds release {found}, not {release}")


def take_in(release: str, destination: Path, write: Callable[[BinaryIO], None]) -> None:
    """Have `write` fill an archive, and put it at `destination` once it is whole and the right one.

    Whatever happens, a file of that name is never half an archive.

    Raises:
        ArchiveError: what was written does not hold `release`.
        OSError: the disk says no.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    # `artifact.pack` takes away what a killed run leaves under such a name.
    descriptor, aside = tempfile.mkstemp(prefix=".", suffix=".partial", dir=destination.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
        require(release, Path(aside))
        Path(aside).rename(destination)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
