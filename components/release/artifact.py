"""Packs a folder as a release: a deterministic archive, with an id that is a hash of its content.

The same tree has the same id on any machine: names, the executable bit and the bytes count; order
on disk, times, owners and umask do not. `host/releasectl` computes the id again from what it
unpacks, so the code under "The id" must agree with `TreeDigest` there (a test compares the two).
"""

import hashlib
import io
import os
import shutil
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from components.core.errors import SlipwayError
from components.release.artifact_store import archive_in
from components.release.gzip_writer import GzipWriter, is_compressible
from components.release.ignored import Ignored
from components.release.verify import ID_LENGTH

#: Never part of a release, whatever the ignore files say: caches, secrets, Slipway's own state
#: (`.slipway/` is also where releasectl keeps its marks in an unpacked release).
NEVER_PACKED = frozenset(
    {".git", ".venv", ".env", ".slipway", "__pycache__", ".gitignore", ".slipwayignore"}
)
NEVER = "never released"
#: JSON that tells releasectl what to do besides unpacking (components/release/source.py).
RECIPE = ".slipway-recipe"
REQUIREMENTS = "requirements.txt"
#: Bytes at the beginning of a larger file that decide whether it is compressed.
SAMPLE = 64 << 10
ABANDONED_AFTER_SECONDS = 3600
CHUNK = 1 << 20


@dataclass(frozen=True)
class Artifact:
    """A packed release. `path` is the archive, `size` its bytes, `files` how many it holds.

    `requirements_hash` is the SHA-256 of requirements.txt: if it is equal, nothing is installed.
    `folders` has the names of all folders that contain files, such as `static/css`, and symlinks.
    """

    id: str
    path: Path
    size: int
    files: int
    requirements_hash: str
    folders: frozenset[str]


@dataclass(frozen=True)
class LeftOut:
    """A file, or a whole folder, that is not part of the release, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Entry:
    """One file or symlink of the tree. `name` is relative, with slashes; `target` is a symlink's.

    `content` is set for a file that is added to the release without being in the folder.
    """

    name: str
    path: Path
    mode: str
    target: str | None = None
    content: bytes | None = None

    def open(self) -> BinaryIO:
        return self.path.open("rb") if self.content is None else io.BytesIO(self.content)


def identify(source: Path, added: Mapping[str, bytes] | None = None) -> str:
    """The id that `pack` would give the folder. Raises SlipwayError as `pack` does."""
    return _identify(_release(source, added or {}))


def copy(source: Path, destination: Path) -> None:
    """Copy the files that `pack` would pack. Raises SlipwayError as `pack` does."""
    for entry in _entries(source):
        path = destination / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(entry.path, path, follow_symlinks=False)


def identify_folder(source: Path) -> str:
    """The id of a folder that need not be a release."""
    return _identify(_entries(source))


def left_out(source: Path) -> list[LeftOut]:
    """What `pack` would leave out, sorted by name. Raises SlipwayError as `pack` does."""
    found: list[LeftOut] = []
    for _ in _walk(source, "", Ignored.of(source), found):
        pass
    return sorted(found, key=lambda each: each.name)


def pack(source: Path, destination: Path, added: Mapping[str, bytes] | None = None) -> Artifact:
    """Pack the folder `source` as `destination/<id>.tar.gz`, unless that archive exists already.

    `added` maps names to contents that replace the folder's own files. Left out are the names in
    `NEVER_PACKED`, *.pyc, and what git ignores or .slipwayignore names (which has the last word:
    `!static/dist/` includes what git ignores; see components/release/ignored.py).

    Raises SlipwayError, naming the path, for a missing or empty folder, no requirements.txt, a
    symlink that leads out of the folder, a device or socket, an unreadable file, a name that is not
    UTF-8, and for files that change while they are packed. In that case nothing is left behind.
    """
    entries = _release(source, added or {})
    release = _identify(entries)
    archive = archive_in(destination, release)
    try:
        destination.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(destination)
        if not archive.exists():
            _write(entries, release, archive)
        size = archive.stat().st_size
    except OSError as error:
        raise SlipwayError(f"{archive}: cannot be written: {error.strerror}") from error
    return Artifact(
        id=release,
        path=archive,
        size=size,
        files=len(entries),
        requirements_hash=next(
            _content_hash(each) for each in entries if each.name == REQUIREMENTS
        ),
        folders=_folders(entries),
    )


def _folders(entries: list[Entry]) -> frozenset[str]:
    found: set[str] = set()
    for entry in entries:
        name = entry.name if entry.target is not None else entry.name.rpartition("/")[0]
        while name and name not in found:
            found.add(name)
            name = name.rpartition("/")[0]
    return frozenset(found)


# The tree


def _entries(source: Path) -> list[Entry]:
    if not source.is_dir():
        raise SlipwayError(f"{source}: there is no such folder to make a release of")
    entries = sorted(_walk(source, "", Ignored.of(source)), key=_by_name)
    if not entries:
        raise SlipwayError(f"{source}: the folder is empty (or all of it is ignored)")
    return entries


def _by_name(entry: Entry) -> bytes:
    return entry.name.encode()


def _release(source: Path, added: Mapping[str, bytes]) -> list[Entry]:
    own = [entry for entry in _entries(source) if entry.name not in (*added, RECIPE)]
    more = [Entry(name, source / name, "644", content=added[name]) for name in added]
    entries = sorted([*own, *more], key=_by_name)
    if not any(entry.name == REQUIREMENTS and entry.target is None for entry in entries):
        raise SlipwayError(
            f"{source / REQUIREMENTS}: missing; it names the packages the application needs "
            "(it may be empty)"
        )
    return entries


def _walk(
    source: Path, folder: str, ignored: Ignored, left_out: list[LeftOut] | None = None
) -> Iterator[Entry]:
    try:
        with os.scandir(source / folder) as scan:
            found = list(scan)
    except OSError as error:
        raise SlipwayError(f"{source / folder}: cannot be read: {error.strerror}") from error
    for item in found:
        name = folder + item.name
        is_folder = item.is_dir(follow_symlinks=False)
        never = item.name in NEVER_PACKED or item.name.endswith(".pyc")
        why = NEVER if never else ignored.why(name, is_folder=is_folder)
        below = ignored.entered(name, why) if is_folder and not never else None
        if below is not None:
            yield from _walk(source, name + "/", below, left_out)
        elif why is None:
            yield _entry(source, name)
        elif left_out is not None:
            left_out.append(LeftOut(name + "/" if is_folder else name, why))


def _entry(source: Path, name: str) -> Entry:
    path = source / name
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="replace")
        raise SlipwayError(f"{shown}: the name is not valid UTF-8") from None
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return Entry(name, path, "link", _target_inside(source, name))
    except OSError as error:
        raise SlipwayError(f"{path}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise SlipwayError(f"{path}: not a file, folder or symlink, so it cannot be packed")
    return Entry(name, path, "755" if mode & stat.S_IXUSR else "644")


def _target_inside(source: Path, name: str) -> str:
    """The symlink's target, if it is inside the release."""
    target = str((source / name).readlink())
    reached = os.path.normpath(str(Path(name).parent / target))
    leaves = target.startswith("/") or reached == ".." or reached.startswith("../")
    # Judged by name alone, `link/../x` can look inside although `link` leads out of the folder.
    real = Path(os.path.realpath(source / name))
    if leaves or not real.is_relative_to(os.path.realpath(source)):
        raise SlipwayError(
            f"{source / name}: the symlink leads out of the folder, to {target!r}; "
            "copy what it leads to into the folder, or ignore it in .slipwayignore"
        )
    return target


# The id


def _identify(entries: list[Entry]) -> str:
    return _tree_id((entry, _content_hash(entry)) for entry in entries)


def _tree_id(hashed: Iterator[tuple[Entry, str]]) -> str:
    tree = hashlib.sha256()
    for entry, content_hash in hashed:
        tree.update(f"{entry.mode} {content_hash} {entry.name}\0".encode())
    return tree.hexdigest()[:ID_LENGTH]


def _content_hash(entry: Entry) -> str:
    if entry.target is not None:
        return hashlib.sha256(entry.target.encode()).hexdigest()
    try:
        with entry.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except OSError as error:
        raise SlipwayError(f"{entry.path}: cannot be read: {error.strerror}") from error


# The archive


def _write(entries: list[Entry], release: str, archive: Path) -> None:
    descriptor, aside = tempfile.mkstemp(prefix=".", suffix=".partial", dir=archive.parent)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            packed = _tree_id(_write_entries(entries, raw))
        if packed != release:
            raise SlipwayError(f"{archive}: files changed while they were packed; try again")
        Path(aside).rename(archive)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _write_entries(entries: list[Entry], raw: BinaryIO) -> Iterator[tuple[Entry, str]]:
    """Write the archive; yield each entry with the hash of the bytes that were written."""
    packed = GzipWriter(raw)
    with tarfile.open(fileobj=cast("BinaryIO", packed), mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            header = tarfile.TarInfo(entry.name)
            if entry.target is not None:
                header.type, header.linkname = tarfile.SYMTYPE, entry.target
                tar.addfile(header)
                yield entry, _content_hash(entry)
                continue
            header.mode = int(entry.mode, 8)
            try:
                with entry.open() as file:
                    header.size = file.seek(0, os.SEEK_END)
                    file.seek(0)
                    if header.size >= SAMPLE:
                        packed.stored = not is_compressible(file.read(SAMPLE))
                        file.seek(0)
                    reader = _HashingReader(file)
                    tar.addfile(header, reader)
                    packed.stored = False
            except OSError as error:
                raise SlipwayError(f"{entry.path}: cannot be packed: {error}") from error
            yield entry, reader.hash.hexdigest()
    packed.finish()


class _HashingReader:
    """Hashes a file while it is read into the archive, so that it is read only once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.hash.update(content)
        return content


def _remove_abandoned(destination: Path) -> None:
    """Remove what a killed run left; a recent file may belong to a run in progress."""
    for path in destination.glob(".*.partial"):
        if time.time() - path.stat().st_mtime > ABANDONED_AFTER_SECONDS:
            path.unlink(missing_ok=True)
