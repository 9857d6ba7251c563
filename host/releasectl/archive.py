"""Archives of releases: unpacked without trusting them, and packed again for other servers."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from .console import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator
    from typing import BinaryIO


class Recipe:
    """What to do with a release besides unpacking it; written by components/release/source.py."""

    def __init__(self, folder: Path) -> None:
        path = folder / ".slipway-recipe"
        try:
            recipe = json.loads(path.read_text(encoding="utf-8"))
            self.build = str(recipe.pop("build", ""))
            self.install = str(recipe.pop("install", ""))
        except FileNotFoundError:
            recipe, self.build, self.install = {}, "", ""
        except (ValueError, AttributeError, TypeError) as error:
            raise ReleaseError(f"{path.name}: not a recipe: {error}") from None
        if recipe or not re.fullmatch(r"|sdist|[\w.+!-]+\.whl", self.install):
            raise ReleaseError(f"{path.name}: not a recipe that this releasectl knows")


class TreeDigest:
    """The id of an unpacked tree, computed as components/release/artifact.py does when packing."""

    def __init__(self) -> None:
        self.entries: list[tuple[bytes, bytes]] = []

    def add(self, name: str, mode: str, content_hash: str) -> None:
        self.entries.append((name.encode(), f"{mode} {content_hash} {name}\0".encode()))

    def id(self) -> str:
        tree = hashlib.sha256()
        for _, line in sorted(self.entries):
            tree.update(line)
        return tree.hexdigest()[:12]


def unpack(archive: Path, folder: Path) -> str:
    """Unpack into the empty `folder` and return the id of its content.

    Owners, times and modes in the archive are ignored: files are owned by the caller, with mode
    0644 or 0755. Nothing is written outside `folder`, whatever the archive contains.
    """
    import gzip
    import tarfile
    import zlib

    digest = TreeDigest()
    links: set[str] = set()
    made: set[Path] = set()
    broken = (
        tarfile.TarError,
        EOFError,
        gzip.BadGzipFile,
        zlib.error,
        UnicodeError,
        FileExistsError,
    )
    try:
        # Not "r|gz": tarfile would copy the rest of its buffer for each file.
        with gzip.open(archive) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as tar:
            for member in tar:
                name = checked_name(member.name, links, archive)
                path = folder / name
                parent = path if member.isdir() else path.parent
                if parent not in made:
                    parent.mkdir(parents=True, exist_ok=True)
                    made.add(parent)
                if member.isdir():
                    continue
                if member.issym():
                    checked_target(name, member.linkname, archive)
                    path.symlink_to(member.linkname)
                    links.add(name)
                    content = hashlib.sha256(member.linkname.encode()).hexdigest()
                    digest.add(name, "link", content)
                elif member.isreg():
                    mode = 0o755 if member.mode & 0o100 else 0o644
                    digest.add(name, f"{mode:o}", unpack_file(tar, member, path, mode))
                else:
                    raise ReleaseError(
                        f"{archive}: {name}: only files, folders and symlinks are allowed"
                    )
    except FileNotFoundError:
        raise ReleaseError(f"{archive}: no such archive: upload the release first") from None
    except broken as error:
        raise ReleaseError(f"{archive}: broken archive: {error}") from None
    for name in links:
        if not Path(os.path.realpath(folder / name)).is_relative_to(os.path.realpath(folder)):
            raise ReleaseError(f"{archive}: {name}: the symlink leads out of the release")
    return digest.id()


def unpack_file(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, mode: int) -> str:
    content = hashlib.sha256()
    source = tar.extractfile(member)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        while source is not None:
            chunk = source.read(1 << 20)
            if not chunk:
                break
            content.update(chunk)
            file.write(chunk)
    return content.hexdigest()


def checked_name(name: str, links: set[str], archive: Path) -> str:
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise ReleaseError(f"{archive}: {name!r}: not a path inside the release")
    if parts[0] in (".slipway", ".venv"):
        raise ReleaseError(f"{archive}: {name!r}: this name is reserved for releasectl")
    for depth in range(1, len(parts)):
        if "/".join(parts[:depth]) in links:
            raise ReleaseError(f"{archive}: {name!r}: goes through a symlink")
    return "/".join(parts)


def package_of(folder: Path, kind: str, work: Path) -> Path:
    """Make an installable package of a release. A copy, because build tools write into it."""
    import shutil

    package = work / "package"
    ours = shutil.ignore_patterns(".slipway*", ".venv")
    shutil.copytree(folder, package, symlinks=True, ignore=ours)
    if kind == "sdist":
        return package
    (package / "requirements.txt").unlink()
    zipped = Path(shutil.make_archive(str(package), "zip", package))
    return zipped.rename(work / kind)


def checked_target(name: str, target: str, archive: Path) -> None:
    reached = os.path.normpath(os.path.join(os.path.dirname(name), target))  # noqa: PTH118, PTH120
    if target.startswith("/") or reached == ".." or reached.startswith("../"):
        raise ReleaseError(
            f"{archive}: {name}: the symlink leads out of the release, to {target!r}"
        )


def pack(folder: Path, out: BinaryIO) -> None:
    """Write an archive from which `unpack` restores this folder, without what releasectl added."""
    import gzip
    import tarfile

    with (
        gzip.GzipFile("", "wb", 1, out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in sorted(packed_files(folder, ""), key=lambda pair: pair[0].encode()):
            member = tarfile.TarInfo(name)
            if path.is_symlink():
                member.type, member.linkname = tarfile.SYMTYPE, str(path.readlink())
                tar.addfile(member)
                continue
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                member.size, member.mode = found.st_size, found.st_mode & 0o777
                tar.addfile(member, file)


def packed_files(folder: Path, inside: str) -> Iterator[tuple[str, Path]]:
    for path in (folder / inside).iterdir():
        name = inside + path.name
        if name in (".slipway", ".venv") or path.name == "__pycache__" or name.endswith(".pyc"):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from packed_files(folder, name + "/")
        else:
            yield name, path
